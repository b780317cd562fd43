import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CarrelError } from '../../model/errors.ts'
import { type Git, GitFailure } from './git.ts'

export interface ExportBranch {
  /** The Space's folder, in a repository. */
  readonly source: string
  /** A unified patch against `base`. */
  readonly patch: string
  /** A commit; null is the one that the folder stands at. */
  readonly base: string | null
  readonly branch: string
  /** Below Carrel's own folder: for what is needed meanwhile. */
  readonly parent: string
  readonly signal: AbortSignal
}

const IDENTITY = ['-c', 'user.name=Carrel', '-c', 'user.email=carrel@localhost']

/**
 * Makes a branch with one commit of what a project did. The folder, its index and what it has checked out are not
 * touched: the commit is put together in a work tree without files.
 * @throws bad_input where there is no repository, the branch is there already, or the patch does not fit
 */
export async function exportBranch(git: Git, ask: ExportBranch): Promise<{ readonly commit: string }> {
  const { source, branch, base, signal } = ask
  const repository = await git
    .look(source, ['rev-parse', '--path-format=absolute', '--git-common-dir'])
    .catch(() => null)
  if (repository === null)
    throw new CarrelError('bad_input', `${source} is in no git repository, so there can be no branch. Export a patch.`)
  if ((await git.ask(source, ['check-ref-format', '--branch', branch])) === null)
    throw new CarrelError('bad_input', `${JSON.stringify(branch)} cannot be the name of a branch. Choose another.`)
  if ((await git.ask(source, ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}`])) !== null)
    throw new CarrelError('bad_input', `There is a branch ${branch} already. Choose another name.`)
  const prefix = (await git.look(source, ['rev-parse', '--show-prefix'])).trim()
  return await git.queue(repository.trim(), async () => {
    const folder = await mkdtemp(join(ask.parent, 'export-'))
    const tree = join(folder, 'tree')
    try {
      await git.write(source, ['worktree', 'add', '--no-checkout', '--detach', tree, base ?? 'HEAD'], signal)
      return { commit: await commitIn(git, tree, { ...ask, folder, prefix }) }
    } finally {
      await git.write(source, ['worktree', 'remove', '--force', tree], signal).catch(() => undefined)
      await rm(folder, { recursive: true, force: true })
    }
  })
}

async function commitIn(
  git: Git,
  tree: string,
  { patch, branch, signal, folder, prefix }: ExportBranch & { folder: string; prefix: string },
): Promise<string> {
  await git.write(tree, ['read-tree', 'HEAD'], signal)
  const file = join(folder, 'work.patch')
  await writeFile(file, patch)
  const below = prefix === '' ? [] : [`--directory=${prefix.replace(/\/$/, '')}`]
  try {
    if (patch !== '') await git.write(tree, ['apply', '--cached', '--whitespace=nowarn', ...below, file], signal)
  } catch (thrown) {
    if (!(thrown instanceof GitFailure)) throw thrown
    throw new CarrelError(
      'bad_input',
      `What was done does not fit on that commit (${thrown.stderr.split('\n')[0]}). Export a patch instead.`,
      undefined,
      thrown,
    )
  }
  const written = (await git.look(tree, ['write-tree'])).trim()
  const message = `Work of ${branch}, exported by Carrel`
  const made = await git.look(tree, [...IDENTITY, 'commit-tree', written, '-p', 'HEAD', '-m', message])
  await git.write(tree, ['branch', branch, made.trim()], signal)
  return made.trim()
}
