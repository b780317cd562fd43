import { lstatSync, readlinkSync, type Stats } from 'node:fs'
import type { FilePath, Gap } from '../../model/history.ts'
import { isAbsent } from '../../primitives/absent-as-null.ts'
import type { Blobs, Content } from './blobs.ts'
import { diskPath } from './paths.ts'
import { FILE, FOLDER, type Known, LINK } from './present.ts'

/** What one look at a path found, set beside what was known of it. */
export type Seen =
  | { readonly what: 'same' }
  /** Written, and the same as before: only what lstat says is new. */
  | { readonly what: 'touched'; readonly stats: LookStats }
  | { readonly what: 'changed'; readonly state: NewState; readonly stats: LookStats }
  | { readonly what: 'gone' }
  | { readonly what: 'gap'; readonly why: Gap['why']; readonly bytes: number | null }

export interface NewState {
  readonly kind: number
  readonly mode: number
  readonly size: number
  readonly content: Content | null
}

export interface LookStats {
  readonly mtime: number | null
  readonly ctime: number | null
  readonly ino: number | null
  readonly racy: boolean
}

/** Where one looks, and how. */
export interface Eye {
  readonly root: string
  readonly blobs: Blobs
  readonly maxFileBytes: number
  /** What was written since then may be written once more without a sign of it. The disk's own clock, ms. */
  readonly racyFrom: number
}

/** Times of a disk may be this coarse (one tick of the kernel is 4 to 10 ms). ms. */
export const TICK = 20
const TRIES = 4
const SAME: Seen = { what: 'same' }
const GONE: Seen = { what: 'gone' }
const NO_STATS: LookStats = { mtime: null, ctime: null, ino: null, racy: false }

export function statsAt(root: string, path: FilePath): Stats | undefined {
  try {
    return lstatSync(diskPath(root, path), { throwIfNoEntry: false })
  } catch (error) {
    // A file where a folder was, a loop, a name that is too long: nothing can stand there.
    if (isAbsent(error) || ['ELOOP', 'ENAMETOOLONG'].includes(codeOf(error))) return undefined
    throw error
  }
}

/** Looks at a path that is to be covered. Reads its content only where lstat cannot vouch for it. */
export function lookAt(eye: Eye, path: FilePath, known: Known | null, stats = statsAt(eye.root, path)): Seen {
  let seen: Stats | undefined = stats
  for (let tries = 0; tries < TRIES; tries++) {
    const found = lookOnce(eye, path, known, seen)
    if (found) return found
    seen = statsAt(eye.root, path)
  }
  return { what: 'gap', why: 'unsteady', bytes: seen?.size ?? null }
}

/** Null where it changed while it was looked at. */
function lookOnce(eye: Eye, path: FilePath, known: Known | null, stats: Stats | undefined): Seen | null {
  if (!stats) return GONE
  const mode = stats.mode & 0o7777
  if (stats.isDirectory()) {
    if (known?.kind === FOLDER && known.mode === mode) return SAME
    return { what: 'changed', state: { kind: FOLDER, mode, size: 0, content: null }, stats: NO_STATS }
  }
  if (!stats.isFile() && !stats.isSymbolicLink()) return { what: 'gap', why: 'special', bytes: null }
  if (known && !known.racy && isVouched(known, stats)) return SAME
  if (stats.isFile() && stats.size > eye.maxFileBytes) return { what: 'gap', why: 'too_large', bytes: stats.size }
  try {
    return compared(eye, path, known, stats)
  } catch (error) {
    return unreadable(error, stats)
  }
}

function compared(eye: Eye, path: FilePath, known: Known | null, stats: Stats): Seen | null {
  const at = diskPath(eye.root, path)
  const isLink = stats.isSymbolicLink()
  const content = isLink ? eye.blobs.from(readlinkSync(at, 'buffer')) : eye.blobs.read(at, stats)
  if (!content) return null
  const kind = isLink ? LINK : FILE
  const mode = isLink ? 0o777 : stats.mode & 0o7777
  const racy = Math.max(stats.ctimeMs, stats.mtimeMs) >= eye.racyFrom
  const look = { mtime: stats.mtimeMs, ctime: stats.ctimeMs, ino: stats.ino, racy }
  const isSame = known?.kind === kind && known.mode === mode && known.blob === eye.blobs.idOf(content.digest)
  if (isSame) {
    eye.blobs.letGo(content)
    return { what: 'touched', stats: look }
  }
  return { what: 'changed', state: { kind, mode, size: content.size, content }, stats: look }
}

function isVouched(known: Known, stats: Stats): boolean {
  if (known.kind === LINK ? !stats.isSymbolicLink() : known.kind !== FILE || !stats.isFile()) return false
  const same = known.size === stats.size && known.mtime === stats.mtimeMs && known.ctime === stats.ctimeMs
  return same && known.ino === stats.ino && (known.kind === LINK || known.mode === (stats.mode & 0o7777))
}

/** What only this path has to do with is a gap; a disk of ours that is full is everybody's trouble. */
function unreadable(error: unknown, stats: Stats): Seen | null {
  const code = codeOf(error)
  if (isAbsent(error) || ['ELOOP', 'EINVAL'].includes(code)) return null
  if (['EACCES', 'EPERM', 'EIO'].includes(code)) return { what: 'gap', why: 'unreadable', bytes: stats.size }
  throw error
}

export const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '')
