import type { Stats } from 'node:fs'
import type { FilePath } from '../../../model/files/history.ts'
import { isAbsent } from '../../../primitives/absent-as-null.ts'
import type { GapBook } from '../log/gap-book.ts'
import { foldersAbove, namesIn } from '../log/paths.ts'
import { FOLDER, type Known, type Present } from '../log/present.ts'
import type { Finder } from './findings.ts'
import { GITIGNORE, type Ignorer, isGitignore } from './ignore.ts'
import { codeOf, statsAt } from './inspect.ts'

/** Parts of a place that a walk needs. */
export interface ScanContext {
  readonly root: string
  readonly present: Present
  readonly gaps: GapBook
  readonly ignorer: Ignorer
  readonly useGitignore: boolean
  /** True when the rules differ from those of the last walk: known paths are checked again. */
  readonly recheck: boolean
  /** Yields to other work. Call it often: most calls cost nothing. */
  readonly breathe: () => Promise<void> | undefined
}

interface Step {
  readonly folder: FilePath
  readonly recheck: boolean
}

/** Scans everything below the root by lstat, and known paths that are gone. */
export async function scanAll(context: ScanContext, finder: Finder): Promise<void> {
  const known = context.present.all()
  const seen = new Set<FilePath>()
  await walk(context, finder, { folder: '', recheck: context.recheck }, (path) => seen.add(path))
  for (const [path, one] of known) if (!seen.has(path) && !finder.findings.left.has(path)) finder.gone(path, one)
  for (const [path, { why }] of context.gaps.entries()) {
    const isOver = why === 'before_import' ? !seen.has(path) : !finder.findings.gaps.has(path) && !seen.has(path)
    if (isOver) finder.findings.gaps.set(path, null)
  }
}

/** Scans these paths, new folders above them, and everything below paths that are new or gone. */
export async function scanSome(context: ScanContext, finder: Finder, paths: Iterable<FilePath>): Promise<void> {
  const done = new Set<FilePath>()
  for (const path of paths) {
    await context.breathe()
    const above = foldersAbove(path)
    const blocked = above.find((folder) => !scanFolder(context, finder, folder, done))
    if (blocked === undefined) await scanBelow(context, finder, path, done)
  }
}

/** Scans a folder above a path. Returns false for a missing or excluded one, after noting what was below it. */
function scanFolder(context: ScanContext, finder: Finder, folder: FilePath, done: Set<FilePath>): boolean {
  const { present, root, ignorer } = context
  const known = present.get(folder)
  const stats = statsAt(root, folder)
  if ((!known || hasTurned(known, stats)) && ignorer.leavesOut(folder, true)) return false
  if (done.has(folder)) return stats?.isDirectory() ?? false
  done.add(folder)
  finder.inspect(folder, known, stats)
  if (stats?.isDirectory()) return true
  if (known?.kind === FOLDER) for (const [path, one] of present.below(folder)) finder.gone(path, one)
  return false
}

async function scanBelow(context: ScanContext, finder: Finder, path: FilePath, done: Set<FilePath>): Promise<void> {
  if (done.has(path)) return
  done.add(path)
  const { present, root, ignorer } = context
  const known = present.get(path)
  const stats = statsAt(root, path)
  const isFolder = stats?.isDirectory() ?? false
  if ((!known || hasTurned(known, stats)) && ignorer.leavesOut(path, isFolder)) {
    if (stats) finder.leaveOut(path, stats)
    return
  }
  finder.inspect(path, known, stats)
  if (known?.kind === FOLDER && !isFolder) for (const [below, one] of present.below(path)) finder.gone(below, one)
  if (isFolder && known?.kind !== FOLDER) await walk(context, finder, { folder: path, recheck: false }, () => {})
}

async function walk(context: ScanContext, finder: Finder, from: Step, on: (path: FilePath) => void): Promise<void> {
  const steps = [from]
  for (let step = steps.pop(); step; step = steps.pop()) {
    const names = listed(context.root, step.folder)
    if (names === null) {
      finder.unreadable(step.folder)
      for (const path of context.present.below(step.folder).keys()) on(path)
      continue
    }
    const recheck = step.recheck || hasNewGitignore(context, step.folder, names)
    for (const name of names) {
      const path = step.folder === '' ? name : `${step.folder}/${name}`
      if (visit(context, finder, { path, recheck, on })) steps.push({ folder: path, recheck })
      const pause = context.breathe()
      if (pause) await pause
    }
  }
}

/** Whether a path became a folder, or was one: a rule may exclude folders only, so it is asked again. */
const hasTurned = (known: Known, stats: Stats | undefined): boolean =>
  stats !== undefined && stats.isDirectory() !== (known.kind === FOLDER)

/** Inspects one path. Returns whether it is a folder to walk into. */
function visit(
  { root, present, ignorer }: ScanContext,
  finder: Finder,
  { path, recheck, on }: { path: FilePath; recheck: boolean; on: (path: FilePath) => void },
): boolean {
  const stats = statsAt(root, path)
  if (!stats) return false
  const known: Known | null = present.get(path)
  const isFolder = stats.isDirectory()
  if ((!known || recheck || hasTurned(known, stats)) && ignorer.leavesOut(path, isFolder)) {
    on(path)
    finder.leaveOut(path, stats)
    return false
  }
  on(path)
  finder.inspect(path, known, stats)
  return isFolder
}

/** Returns null for an unreadable folder, whose content is unknown. A folder that just went away is empty. */
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

/** Whether an ignore file was added, changed or removed: the paths that it names are checked again. */
function hasNewGitignore(
  { root, present, useGitignore }: ScanContext,
  folder: FilePath,
  names: readonly string[],
): boolean {
  if (!useGitignore) return false
  const path = folder === '' ? GITIGNORE : `${folder}/${GITIGNORE}`
  const known = present.get(path)
  if (!names.includes(GITIGNORE)) return known !== null
  const stats = statsAt(root, path)
  return !known || known.racy || known.mtime !== stats?.mtimeMs || known.ctime !== stats?.ctimeMs
}

/** Whether one of the paths is an ignore file, whose effects reach beyond the hints. */
export const changeRules = (paths: Iterable<FilePath>): boolean => {
  for (const path of paths) if (isGitignore(path)) return true
  return false
}
