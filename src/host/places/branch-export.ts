import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CarrelError } from '../../model/errors.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import { type Git, GitFailure } from './git.ts'
import { branchExists, commitOf, inspectRepository } from './repository.ts'

export interface ExportBranch {
  /** Folder of the Space, in a repository. */
  readonly source: string
  /** Unified patch against `base`. */
  readonly patch: string
  /** Commit; null is the one that the folder has checked out. */
  readonly base: string | null
  readonly branch: string
  /** Folder below Carrel's data folder for temporary files. */
  readonly parent: string
  readonly signal: AbortSignal
}

const INSTEAD = 'export a patch'
const IDENTITY = ['-c', 'user.name=Carrel', '-c', 'user.email=carrel@localhost']

/**
 * Makes a branch with one commit of a project's work. The folder, its index and its checkout are not touched: the
 * commit is built in a work tree without files.
 * @throws gone without the folder; bad_input without a repository or a commit, for an existing branch, or when the
 * patch does not fit
 */
export async function exportBranch(git: Git, ask: ExportBranch): Promise<{ readonly commit: string }> {
  const { branch, signal } = ask
  const source = await absentAsNull(realpath(ask.source))
  if (source === null) throw new CarrelError('gone', `The folder ${ask.source} is missing. Restore it, or ${INSTEAD}.`)
  const { common, below } = await inspectRepository(git, source, INSTEAD)
  if ((await git.ask(source, ['check-ref-format', '--branch', branch])) === null)
    throw new CarrelError('bad_input', `${JSON.stringify(branch)} cannot be the name of a branch. Choose another.`)
  if (await branchExists(git, source, branch))
    throw new CarrelError('bad_input', `The branch ${branch} exists already. Choose another name.`)
  const base = await commitOf(git, source, ask.base, INSTEAD)
  return await git.queue(common, async () => {
    const folder = await mkdtemp(join(ask.parent, 'export-'))
    const tree = join(folder, 'tree')
    try {
      await git.write(source, ['worktree', 'add', '--no-checkout', '--detach', tree, base], signal)
      return { commit: await commitIn(git, tree, { ...ask, folder, below }) }
    } finally {
      await git.write(source, ['worktree', 'remove', '--force', tree], signal).catch(() => undefined)
      await rm(folder, { recursive: true, force: true })
    }
  })
}

async function commitIn(
  git: Git,
  tree: string,
  { patch, branch, signal, folder, below }: ExportBranch & { folder: string; below: string },
): Promise<string> {
  await git.write(tree, ['read-tree', 'HEAD'], signal)
  const file = join(folder, 'work.patch')
  await writeFile(file, patch)
  const where = below === '' ? [] : [`--directory=${below}`]
  try {
    if (patch !== '') await git.write(tree, ['apply', '--cached', '--whitespace=nowarn', ...where, file], signal)
  } catch (thrown) {
    if (!(thrown instanceof GitFailure)) throw thrown
    const text = `The changes do not apply to that commit (${thrown.stderr.split('\n')[0]}). Export a patch instead.`
    throw new CarrelError('bad_input', text, undefined, thrown)
  }
  const written = (await git.read(tree, ['write-tree'])).trim()
  const message = `Work of ${branch}, exported by Carrel`
  const made = await git.read(tree, [...IDENTITY, 'commit-tree', written, '-p', 'HEAD', '-m', message])
  await git.write(tree, ['branch', branch, made.trim()], signal)
  return made.trim()
}
