import { lstat, realpath } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { CarrelError } from '../../model/errors.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import { errorCode } from '../../primitives/error-code.ts'
import { readSmallFile } from '../small-file.ts'
import { type Git, GitFailure } from './git.ts'

/** Folder as git sees it. */
export interface Repository {
  /** Real git folder that all work trees share, with locks and refs. */
  readonly common: string
  /** Work tree of the folder; null for a bare repository. */
  readonly top: string | null
  /** Path from there to the folder; empty for the top itself. */
  readonly below: string
}

/** Alternative without git, for error messages. */
const INSTEAD = 'make the project as an overlay, which works for any folder'

/**
 * Reads the repository of a folder without writing to it (F1).
 * @param instead alternative for the caller, for the error message
 * @throws bad_input without a repository, or when its settings name a work tree elsewhere
 */
export async function inspectRepository(git: Git, folder: string, instead = INSTEAD): Promise<Repository> {
  const line = async (...args: string[]) => (await git.read(folder, ['rev-parse', ...args])).replace(/\n$/, '')
  try {
    const common = await realpath(resolve(folder, await line('--path-format=absolute', '--git-common-dir')))
    if ((await line('--is-bare-repository')) === 'true') return { common, top: null, below: '' }
    const top = await realpath(await line('--show-toplevel'))
    const below = relative(top, folder)
    if (below !== '..' && !below.startsWith(`..${sep}`)) return { common, top, below }
    const text = `The repository of ${folder} has its work tree at ${top}, set by core.worktree. Remove that setting, or ${instead}.`
    throw new CarrelError('bad_input', text)
  } catch (thrown) {
    if (!(thrown instanceof GitFailure)) throw thrown
    const text = `${folder} is not in a work tree of git (${thrown.stderr}). You can ${instead}.`
    throw new CarrelError('bad_input', text, undefined, thrown)
  }
}

/** Returns the commit of a name; null is the checked-out one. @throws bad_input */
export async function commitOf(git: Git, folder: string, name: string | null, instead = INSTEAD): Promise<string> {
  const asked = `${name ?? 'HEAD'}^{commit}`
  const found = await git.ask(folder, ['rev-parse', '--verify', '--quiet', '--end-of-options', asked])
  if (found !== null) return found.trim()
  const text =
    name === null
      ? `The repository of ${folder} has no commit yet. Commit once, or ${instead}.`
      : `The repository of ${folder} has no commit ${name}. Name one of its branches, tags or commits.`
  throw new CarrelError('bad_input', text)
}

export const branchExists = async (git: Git, folder: string, branch: string): Promise<boolean> =>
  (await git.ask(folder, ['show-ref', '--verify', '--quiet', `refs/heads/${branch}`])) !== null

/** Returns the work tree that has this branch checked out; null for none. */
export async function checkedOutAt(git: Git, folder: string, branch: string): Promise<string | null> {
  const list = await git.read(folder, ['worktree', 'list', '--porcelain', '-z'])
  const entry = list.split('\0\0').find((text) => text.split('\0').includes(`branch refs/heads/${branch}`))
  return entry?.replace(/^\0*worktree /, '').split('\0')[0] ?? null
}

/** Returns how many commits of these tips are on no other branch, no tag and no remote. */
export async function commitsOnlyIn(
  git: Git,
  folder: string,
  tips: readonly string[],
  branch: string,
): Promise<number> {
  if (tips.length === 0) return 0
  const others = ['--not', `--exclude=${branch}`, '--branches', '--remotes', '--tags']
  return Number(await git.read(folder, ['rev-list', '--count', ...tips, ...others]))
}

const UNDERWAY: readonly (readonly [string, string])[] = [
  ['rebase-merge', 'a rebase'],
  ['rebase-apply', 'a rebase or a series of patches'],
  ['MERGE_HEAD', 'a merge'],
  ['CHERRY_PICK_HEAD', 'a cherry-pick'],
  ['REVERT_HEAD', 'a revert'],
  ['BISECT_LOG', 'a bisection'],
]

/** Returns the unfinished git operation of the work tree with this git folder; null for none. */
export async function underwayIn(gitFolder: string): Promise<string | null> {
  for (const [name, text] of UNDERWAY) if (await absentAsNull(lstat(join(gitFolder, name)))) return text
  return null
}

/** Returns the git folder of a linked work tree if both name each other and the repository; runs nothing. */
export async function registeredAs(top: string, common: string): Promise<string | null> {
  const text = async (...path: string[]) => (await readSmallFile(join(...path))).trim()
  try {
    if ((await realpath(top)) !== top || !(await lstat(join(top, '.git'))).isFile()) return null
    const named = /^gitdir: (.+)$/s.exec(await text(top, '.git'))?.[1]
    if (!named) return null
    const folder = await realpath(resolve(top, named))
    const back = resolve(folder, await text(folder, 'gitdir'))
    const shared = await realpath(resolve(folder, await text(folder, 'commondir')))
    return back === join(top, '.git') && shared === common ? folder : null
  } catch (thrown) {
    // An agent may have written these files. Only a trouble of the machine says nothing about them.
    if (TROUBLE.has(errorCode(thrown))) throw thrown
    return null
  }
}

const TROUBLE = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EIO'])
