import { lstat, mkdir, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CarrelError } from '../../model/errors.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import type { Filters, Git } from './git.ts'
import { copyIncluded } from './include.ts'
import type { MakePlace, Place, PlaceRecord } from './place.ts'
import { branchExists, checkedOutAt, commitOf, lookAtRepository, registeredAs } from './repository.ts'

export type WorktreeRecord = PlaceRecord & { readonly git: NonNullable<PlaceRecord['git']> }

/**
 * What a worktree will be, before anything is written: its branch, the commit it begins at, and where it will stand.
 *
 * @throws bad_input with what to name instead
 */
export async function planWorktree(git: Git, ask: MakePlace, folder: string): Promise<WorktreeRecord> {
  const source = await realpath(ask.source)
  const repository = await lookAtRepository(git, source)
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

/** Makes what was planned. When it throws, `removeWorktree` of the plan takes away what there is of it. */
export async function makeWorktree(git: Git, ask: MakePlace, plan: WorktreeRecord): Promise<WorktreeRecord> {
  const { repository, top, branch, madeBranch, base } = plan.git
  const source = await realpath(ask.source)
  await mkdir(dirname(top), { recursive: true, mode: 0o700 })
  const what = madeBranch ? ['--no-track', '-b', branch, top, base] : [top, branch]
  // Locked, so that nobody's `git worktree prune` forgets it while the data folder is away.
  const lock = ['--lock', '--reason', `A place of Carrel: ${ask.id}`]
  await git.queue(repository, () =>
    git.write(source, ['worktree', 'add', '--no-checkout', '--no-guess-remote', ...lock, ...what], ask.signal),
  )
  ask.onProgress(`Checking out ${branch}.`)
  // Only now: settings may depend on the branch and the folder. This writes the new work tree alone, so no queue.
  const filters = await git.filters(top)
  await git.write(top, ['reset', '--hard', '--quiet', '--no-recurse-submodules'], ask.signal, filters)
  await checkSubFolder(plan)
  const copied = await copyIncluded(git, source, plan.path, ask.include)
  if (copied > 0) ask.onProgress(`${copied} files that git does not have came along.`)
  return { ...plan, notes: await notesOf(git, top, filters) }
}

/**
 * Proves that the path is the worktree that was made: registered in its repository, and the top that git finds from
 * there. An empty folder in its place would let git walk up into somebody else's repository.
 *
 * @throws gone
 */
export async function openWorktree(git: Git, record: PlaceRecord): Promise<Place> {
  const { top, repository, branch } = gitOf(record)
  const registered = await registeredAs(top, repository)
  const found = registered ? await git.look(record.path, ['rev-parse', '--show-toplevel']).catch(() => null) : null
  if (registered === null || found?.replace(/\n$/, '') !== top) {
    const todo = `Its branch is ${branch} in ${repository}: make a new project on that branch, or bring the folder back.`
    throw new CarrelError('gone', `${record.path} is not the worktree that was made there any more. ${todo}`)
  }
  const { kind, driver, path } = record
  const outside = { reads: [repository], writes: writtenFolders(gitOf(record), registered) }
  return { kind, driver, path, root: path, enter: [], namespace: null, layer: null, outside }
}

/** What a commit there writes of its repository, and nothing else of it: objects, its own state, and the folder of its branch. */
function writtenFolders({ repository, branch }: WorktreeRecord['git'], own: string): string[] {
  const branches = join('refs', 'heads', dirname(branch))
  return [own, ...['objects', branches, join('logs', branches)].map((part) => join(repository, part))]
}

export function gitOf(record: PlaceRecord): WorktreeRecord['git'] {
  if (record.git) return record.git
  throw new CarrelError('internal', `The place ${record.path} is called a worktree and names no repository.`)
}

async function checkBranchName(git: Git, folder: string, branch: string): Promise<void> {
  const good = !branch.startsWith('-') && (await git.ask(folder, ['check-ref-format', `refs/heads/${branch}`])) !== null
  if (!good) throw new CarrelError('bad_input', `${branch} cannot be the name of a branch. Choose another name.`)
}

async function checkExisting(git: Git, folder: string, ask: MakePlace, branch: string): Promise<void> {
  if (ask.start !== null) {
    const text = `There is a branch ${branch} already, and a start belongs to a new one. Leave the start out, or name another branch.`
    throw new CarrelError('bad_input', text)
  }
  const at = await checkedOutAt(git, folder, branch)
  if (at === null) return
  throw new CarrelError(
    'bad_input',
    `The branch ${branch} is checked out at ${at}, and git allows that once. Name another branch.`,
  )
}

async function checkSubFolder({ path, git: { top, base } }: WorktreeRecord): Promise<void> {
  if ((await absentAsNull(lstat(path)))?.isDirectory()) return
  const name = path.slice(top.length + 1)
  const text = `${name} is not a folder in the commit ${base.slice(0, 12)}, or a sparse checkout leaves it out. Commit it first, or make the project as an overlay.`
  throw new CarrelError('bad_input', text)
}

async function notesOf(git: Git, top: string, filters: Filters): Promise<string[]> {
  const notes: string[] = []
  if (await absentAsNull(lstat(join(top, '.gitmodules')))) {
    notes.push(
      'Its submodules are empty folders: Carrel fetches nothing by itself. To fill them, run `git submodule update --init --recursive` there, or name that as the set-up command.',
    )
  }
  for (const name of new Set(['lfs', ...filters])) {
    if (!/^[\w-]+$/.test(name)) continue
    const files = await git.look(top, ['ls-files', '-z', '--', `:(attr:filter=${name})`], { magic: true })
    const count = files.split('\0').length - 1
    if (count === 0) continue
    const todo =
      name === 'lfs' ? ' Run `git lfs pull` there for their content, or name that as the set-up command.' : ''
    notes.push(
      `${count} of its files go through the filter ${name}, which Carrel does not run: they are as the repository stores them.${todo}`,
    )
  }
  return notes
}
