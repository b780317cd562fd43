import type { FilePath } from '../../model/history.ts'
import { isAbsent } from '../../primitives/absent-as-null.ts'
import type { Finder } from './findings.ts'
import type { GapBook } from './gap-book.ts'
import { GITIGNORE, type Ignorer, isGitignore } from './ignore.ts'
import { codeOf, statsAt } from './look.ts'
import { foldersAbove, namesIn } from './paths.ts'
import { FOLDER, type Known, type Present } from './present.ts'

/** What a walk needs to know of its place. */
export interface Ground {
  readonly root: string
  readonly present: Present
  readonly gaps: GapBook
  readonly ignorer: Ignorer
  readonly useGitignore: boolean
  /** The rules are others than at the last walk: what is known is asked about again. */
  readonly recheck: boolean
  /** Lets others have a turn; called often, costs nothing most of the time. */
  readonly breathe: () => Promise<void> | undefined
}

interface Step {
  readonly folder: FilePath
  readonly recheck: boolean
}

/** Looks at everything below the root by lstat, and at what is no longer there. */
export async function scanAll(ground: Ground, finder: Finder): Promise<void> {
  const known = ground.present.all()
  const seen = new Set<FilePath>()
  await walk(ground, finder, { folder: '', recheck: ground.recheck }, (path) => seen.add(path))
  for (const [path, one] of known) {
    if (!seen.has(path) && !finder.findings.uncovered.has(path)) finder.gone(path, one)
  }
  for (const [path, { why }] of ground.gaps.entries()) {
    const isOver = why === 'before_import' ? !seen.has(path) : !finder.findings.gaps.has(path) && !seen.has(path)
    if (isOver) finder.findings.gaps.set(path, null)
  }
}

/** Looks at these paths, at the folders above them that are new, and below those that are new or gone. */
export async function scanSome(ground: Ground, finder: Finder, paths: Iterable<FilePath>): Promise<void> {
  const done = new Set<FilePath>()
  for (const path of paths) {
    await ground.breathe()
    const above = foldersAbove(path)
    const blocked = above.find((folder) => !lookInto(ground, finder, folder, done))
    if (blocked === undefined) await lookBelow(ground, finder, path, done)
  }
}

/** Looks at a folder above a path. False: it is none, or left out, and what was below it is taken care of. */
function lookInto(ground: Ground, finder: Finder, folder: FilePath, done: Set<FilePath>): boolean {
  const { present, root, ignorer } = ground
  const known = present.get(folder)
  const stats = statsAt(root, folder)
  if (!known && ignorer.leavesOut(folder, true)) return false
  if (done.has(folder)) return stats?.isDirectory() ?? false
  done.add(folder)
  finder.look(folder, known, stats)
  if (stats?.isDirectory()) return true
  if (known?.kind === FOLDER) for (const [path, one] of present.below(folder)) finder.gone(path, one)
  return false
}

async function lookBelow(ground: Ground, finder: Finder, path: FilePath, done: Set<FilePath>): Promise<void> {
  if (done.has(path)) return
  done.add(path)
  const { present, root, ignorer } = ground
  const known = present.get(path)
  const stats = statsAt(root, path)
  const isFolder = stats?.isDirectory() ?? false
  if (!known && ignorer.leavesOut(path, isFolder)) {
    if (stats) finder.leaveOut(path, isFolder ? null : stats.size)
    return
  }
  finder.look(path, known, stats)
  if (known?.kind === FOLDER && !isFolder) for (const [below, one] of present.below(path)) finder.gone(below, one)
  if (isFolder && known?.kind !== FOLDER) await walk(ground, finder, { folder: path, recheck: false }, () => {})
}

async function walk(ground: Ground, finder: Finder, from: Step, on: (path: FilePath) => void): Promise<void> {
  const steps = [from]
  for (let step = steps.pop(); step; step = steps.pop()) {
    const names = listed(ground.root, step.folder)
    if (names === null) {
      finder.unreadable(step.folder)
      for (const path of ground.present.below(step.folder).keys()) on(path)
      continue
    }
    const recheck = step.recheck || hasNewGitignore(ground, step.folder, names)
    for (const name of names) {
      const path = step.folder === '' ? name : `${step.folder}/${name}`
      if (visit(ground, finder, { path, recheck, on })) steps.push({ folder: path, recheck })
      const pause = ground.breathe()
      if (pause) await pause
    }
  }
}

/** Whether it is a folder to walk on into. */
function visit(
  { root, present, ignorer }: Ground,
  finder: Finder,
  { path, recheck, on }: { path: FilePath; recheck: boolean; on: (path: FilePath) => void },
): boolean {
  const stats = statsAt(root, path)
  if (!stats) return false
  const known: Known | null = present.get(path)
  const isFolder = stats.isDirectory()
  if ((!known || recheck) && ignorer.leavesOut(path, isFolder)) {
    on(path)
    finder.leaveOut(path, isFolder ? null : stats.size)
    return false
  }
  on(path)
  finder.look(path, known, stats)
  return isFolder
}

/** Null: it cannot be read, and nobody knows what is in it. One that just went away has nothing in it. */
function listed(root: string, folder: FilePath): string[] | null {
  try {
    return namesIn(root, folder)
  } catch (error) {
    const code = codeOf(error)
    if (folder !== '' && isAbsent(error)) return []
    if (folder !== '' && ['EACCES', 'EPERM', 'EIO'].includes(code)) return null
    throw error
  }
}

/** An ignore file that came, changed or went: what it names is asked about again. */
function hasNewGitignore({ root, present, useGitignore }: Ground, folder: FilePath, names: readonly string[]): boolean {
  if (!useGitignore) return false
  const path = folder === '' ? GITIGNORE : `${folder}/${GITIGNORE}`
  const known = present.get(path)
  if (!names.includes(GITIGNORE)) return known !== null
  const stats = statsAt(root, path)
  return !known || known.racy || known.mtime !== stats?.mtimeMs || known.ctime !== stats?.ctimeMs
}

/** Whether hints alone cannot tell what follows from these. */
export const changeRules = (paths: Iterable<FilePath>): boolean => {
  for (const path of paths) if (isGitignore(path)) return true
  return false
}
