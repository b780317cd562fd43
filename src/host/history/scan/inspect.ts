import { lstatSync, readlinkSync, type Stats } from 'node:fs'
import type { FilePath, Gap } from '../../../model/files/history.ts'
import { isAbsent } from '../../../primitives/absent-as-null.ts'
import type { Blobs, Content } from '../log/blobs.ts'
import { diskPath } from '../log/paths.ts'
import { FILE, FOLDER, type Known, LINK } from '../log/present.ts'

/** Result of inspecting one path, compared with its known state. */
export type Seen =
  | { readonly what: 'same' }
  /** Rewritten with the same content: only the lstat values are new. */
  | { readonly what: 'touched'; readonly stats: SeenStats }
  | { readonly what: 'changed'; readonly state: NewState; readonly stats: SeenStats }
  | { readonly what: 'gone' }
  /** Cannot be covered. `isNew`: not the known state, so far as lstat tells. */
  | {
      readonly what: 'gap'
      readonly why: Gap['why']
      readonly bytes: number | null
      readonly mode: number
      readonly isNew: boolean
    }

export interface NewState {
  readonly kind: number
  readonly mode: number
  readonly size: number
  readonly content: Content | null
  /** True where the content cannot be covered. */
  readonly uncovered?: true
}

export interface SeenStats {
  readonly mtime: number | null
  readonly ctime: number | null
  readonly ino: number | null
  readonly racy: boolean
  /** Birth of the file; where the disk keeps none, its last change. ms. */
  readonly born?: number
  readonly uid?: number
  readonly gid?: number
}

/** Parameters of an inspection. */
export interface InspectOptions {
  readonly root: string
  readonly blobs: Blobs
  readonly maxFileBytes: number
  /** A file with this time or a later one may change again without a sign. By the disk's clock, ms. */
  readonly racyFrom: number
}

/** Coarsest time of a disk (one tick of the kernel is 4 to 10 ms). ms. */
export const TICK = 20
const TRIES = 4
const SAME: Seen = { what: 'same' }
const GONE: Seen = { what: 'gone' }
export const NO_STATS: SeenStats = { mtime: null, ctime: null, ino: null, racy: false }

export function statsAt(root: string, path: FilePath): Stats | undefined {
  try {
    return lstatSync(diskPath(root, path), { throwIfNoEntry: false })
  } catch (error) {
    // A file in place of a folder, a link loop or a too long name: nothing can exist there.
    if (isAbsent(error) || ['ELOOP', 'ENAMETOOLONG'].includes(codeOf(error))) return undefined
    throw error
  }
}

/** Returns what tells a file or folder from all others: inodes are used again, but not with the same birth. */
export const identityOf = (stats: Stats | undefined): string | null =>
  stats ? `${stats.ino}:${stats.birthtimeMs}` : null

/** Inspects a path that is to be covered. Reads its content only where lstat proves nothing. */
export function inspectPath(
  options: InspectOptions,
  path: FilePath,
  known: Known | null,
  stats = statsAt(options.root, path),
): Seen {
  let seen: Stats | undefined = stats
  for (let tries = 0; tries < TRIES; tries++) {
    const found = inspectOnce(options, path, known, seen)
    if (found) return found
    seen = statsAt(options.root, path)
  }
  return { what: 'gap', why: 'unsteady', bytes: seen?.size ?? null, mode: 0, isNew: false }
}

/** Inspects once. Returns null when the file changed meanwhile. */
function inspectOnce(
  options: InspectOptions,
  path: FilePath,
  known: Known | null,
  stats: Stats | undefined,
): Seen | null {
  if (!stats) return GONE
  const mode = stats.mode & 0o7777
  if (stats.isDirectory()) {
    const seenStats = { ...NO_STATS, ino: stats.ino }
    if (known?.kind !== FOLDER || known.mode !== mode)
      return { what: 'changed', state: { kind: FOLDER, mode, size: 0, content: null }, stats: seenStats }
    // Another folder at this path brought its content with it.
    return known.ino === stats.ino ? SAME : { what: 'touched', stats: seenStats }
  }
  const isKnown = known !== null && isVouched(known, stats)
  const gap = (why: Gap['why'], bytes: number | null): Seen => ({ what: 'gap', why, bytes, mode, isNew: !isKnown })
  if (!stats.isFile() && !stats.isSymbolicLink()) return gap('special', null)
  if (isKnown && !known.racy) return SAME
  // A limit that was lowered does not concern files that the history has.
  if (stats.isFile() && stats.size > options.maxFileBytes && !isKnown) return gap('too_large', stats.size)
  try {
    return compared(options, path, known, stats)
  } catch (error) {
    return isUnreadable(error) ? gap('unreadable', stats.size) : null
  }
}

function compared(options: InspectOptions, path: FilePath, known: Known | null, stats: Stats): Seen | null {
  const at = diskPath(options.root, path)
  const isLink = stats.isSymbolicLink()
  const content = isLink ? options.blobs.from(readlinkSync(at, 'buffer')) : options.blobs.read(at, stats)
  if (!content) return null
  const kind = isLink ? LINK : FILE
  const mode = isLink ? 0o777 : stats.mode & 0o7777
  const racy = Math.max(stats.ctimeMs, stats.mtimeMs) >= options.racyFrom
  const seenStats = {
    mtime: stats.mtimeMs,
    ctime: stats.ctimeMs,
    ino: stats.ino,
    racy,
    born: stats.birthtimeMs,
    uid: stats.uid,
    gid: stats.gid,
  }
  const isSame = known?.kind === kind && known.mode === mode && known.blob === options.blobs.idOf(content.digest)
  if (isSame) {
    options.blobs.letGo(content)
    return { what: 'touched', stats: seenStats }
  }
  return { what: 'changed', state: { kind, mode, size: content.size, content }, stats: seenStats }
}

function isVouched(known: Known, stats: Stats): boolean {
  if (known.kind === LINK ? !stats.isSymbolicLink() : known.kind !== FILE || !stats.isFile()) return false
  const same = known.size === stats.size && known.mtime === stats.mtimeMs && known.ctime === stats.ctimeMs
  return same && known.ino === stats.ino && (known.kind === LINK || known.mode === (stats.mode & 0o7777))
}

/** Whether an error of this path alone makes it a gap; false where it changed meanwhile. @throws an error of Carrel's own disk */
function isUnreadable(error: unknown): boolean {
  const code = codeOf(error)
  if (isAbsent(error) || ['ELOOP', 'EINVAL'].includes(code)) return false
  if (['EACCES', 'EPERM', 'EIO'].includes(code)) return true
  throw error
}

export const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '')
