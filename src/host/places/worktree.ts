import { lstat, mkdir, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CarrelError } from '../../model/errors.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import { type Filters, type Git, GitFailure } from './git.ts'
import { copyIncluded } from './include.ts'
import type { MakePlace, Place, PlaceRecord } from './place.ts'
import { branchExists, checkedOutAt, commitOf, inspectRepository, registeredAs } from './repository.ts'

export type WorktreeRecord = PlaceRecord & { readonly git: NonNullable<PlaceRecord['git']> }

/** Plans a worktree without writing. @throws bad_input that says what to name instead */
export async function planWorktree(git: Git, ask: MakePlace, folder: string): Promise<WorktreeRecord> {
  const source = await realpath(ask.source)
  const repository = await inspectRepository(git, source)
  const branch = ask.branch ?? `carrel/${ask.id}`
  await checkBranchName(git, source, branch)
  const exists = await branchExists(git, source, branch)
  if (exists) await checkExisting(git, source, ask, branch)
  const base = await commitOf(git, source, exists ? `refs/heads/${branch}` : ask.start)
  const top = join(folder, basename(repository.top ?? source))
  return {
    kind: 'worktree',
    path: join(top, repository.below),
    driver: 'git worktree',
    git: { repository: repository.common, top, branch, madeBranch: !exists, base },
    overlay: null,
    notes: [],
  }
}

/** Makes a planned worktree. After a failure, `removeWorktree` of the plan removes the parts. */
export async function makeWorktree(git: Git, ask: MakePlace, plan: WorktreeRecord): Promise<WorktreeRecord> {
  const { repository, top, branch, madeBranch, base } = plan.git
  const source = await realpath(ask.source)
  await mkdir(dirname(top), { recursive: true, mode: 0o700 })
  const what = madeBranch ? ['--no-track', '-b', branch, top, base] : [top, branch]
  // The lock keeps a `git worktree prune` from forgetting it while the data folder is unmounted.
  const lock = ['--lock', '--reason', `A place of Carrel: ${ask.id}`]
  await git.queue(repository, () =>
    git.write(source, ['worktree', 'add', '--no-checkout', '--no-guess-remote', ...lock, ...what], ask.signal),
  )
  ask.onProgress(`Checking out ${branch}.`)
  // Filters are read now, because settings may depend on branch and folder. This writes only the new work tree, so it
  // needs no queue.
  const filters = await git.filters(top)
  await git.write(top, ['reset', '--hard', '--quiet', '--no-recurse-submodules'], ask.signal, filters)
  await checkSubFolder(plan)
  const copied = await copyIncluded(git, source, plan.path, ask.include)
  if (copied > 0) ask.onProgress(`Copied ${copied} files that git does not have.`)
  return { ...plan, notes: await notesOf(git, top, filters) }
}

/** Returns the work tree that git finds at a path; null where git finds none. @throws when git could not look */
async function topLevelAt(git: Git, path: string): Promise<string | null> {
  try {
    return await git.read(path, ['rev-parse', '--show-toplevel'])
  } catch (thrown) {
    if (thrown instanceof GitFailure && thrown.code !== null) return null
    throw thrown
  }
}

/** Verifies that the path is the worktree made there, not an empty folder in another repository. @throws gone */
export async function openWorktree(git: Git, record: PlaceRecord): Promise<Place> {
  const { top, repository, branch } = gitOf(record)
  const registered = await registeredAs(top, repository)
  const found = registered ? await topLevelAt(git, record.path) : null
  if (registered === null || found?.replace(/\n$/, '') !== top) {
    const todo = `Its branch is ${branch} in ${repository}: make a new project on that branch, or restore the folder.`
    throw new CarrelError('gone', `${record.path} is no longer the worktree that was made there. ${todo}`)
  }
  const { kind, driver, path } = record
  const outside = { reads: [repository], writes: writtenFolders(gitOf(record), registered) }
  return { kind, driver, path, root: path, enter: [], namespace: null, layer: null, outside }
}

/** Returns the folders that a commit writes in the repository: objects, its own state, its branch. */
function writtenFolders({ repository, branch }: WorktreeRecord['git'], own: string): string[] {
  const branches = join('refs', 'heads', dirname(branch))
  return [own, ...['objects', branches, join('logs', branches)].map((part) => join(repository, part))]
}

export function gitOf(record: PlaceRecord): WorktreeRecord['git'] {
  if (record.git) return record.git
  throw new CarrelError('internal', `The place ${record.path} is a worktree without a repository.`)
}

async function checkBranchName(git: Git, folder: string, branch: string): Promise<void> {
  const good = !branch.startsWith('-') && (await git.ask(folder, ['check-ref-format', `refs/heads/${branch}`])) !== null
  if (!good) throw new CarrelError('bad_input', `${branch} cannot be the name of a branch. Choose another name.`)
}

async function checkExisting(git: Git, folder: string, ask: MakePlace, branch: string): Promise<void> {
  if (ask.start !== null) {
    const text = `The branch ${branch} exists already, and only a new branch has a start. Omit the start, or name another branch.`
    throw new CarrelError('bad_input', text)
  }
  const at = await checkedOutAt(git, folder, branch)
  if (at === null) return
  const text = `The branch ${branch} is checked out at ${at}, and git allows only one checkout of a branch. Name another branch.`
  throw new CarrelError('bad_input', text)
}

async function checkSubFolder({ path, git: { top, base } }: WorktreeRecord): Promise<void> {
  if ((await absentAsNull(lstat(path)))?.isDirectory()) return
  const name = path.slice(top.length + 1)
  const text = `${name} is not a folder in the commit ${base.slice(0, 12)}, or a sparse checkout omits it. Commit it first, or make the project as an overlay.`
  throw new CarrelError('bad_input', text)
}

async function notesOf(git: Git, top: string, filters: Filters): Promise<string[]> {
  const notes: string[] = []
  if (await absentAsNull(lstat(join(top, '.gitmodules')))) {
    notes.push(
      'Its submodules are empty folders: Carrel fetches nothing by itself. To fill them, run `git submodule update --init --recursive` there, or use that as the setup command.',
    )
  }
  for (const name of new Set(['lfs', ...filters])) {
    if (!/^[\w-]+$/.test(name)) continue
    const files = await git.read(top, ['ls-files', '-z', '--', `:(attr:filter=${name})`], { magic: true })
    const count = files.split('\0').length - 1
    if (count === 0) continue
    const todo = name === 'lfs' ? ' Run `git lfs pull` there for their content, or use that as the setup command.' : ''
    notes.push(
      `${count} of its files use the filter ${name}, which Carrel does not run: they have the form that the repository stores.${todo}`,
    )
  }
  return notes
}
