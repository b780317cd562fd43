import { lstatSync, readFileSync, readlinkSync } from 'node:fs'
import type { Author, Change, FileDiff, FilePath, Hunk } from '../../model/history.ts'
import { compareVersions, hunksOf } from '../../model/hunks.ts'
import { linesOf, MAX_TEXT_BYTES, textOf, type Version } from '../../model/merge.ts'
import { digestOf } from './blobs.ts'
import type { Book } from './book.ts'
import { statsAt } from './look.ts'
import { diskPath, foldersAbove } from './paths.ts'
import { versionOf } from './versions.ts'

/** Versions of a path that are asked for the authors of its lines; older ones stand together. */
const STEPS = 64

export interface DiffSpan {
  readonly from: number
  /** Null is what is on the disk now. */
  readonly to: number | null
}

/** Two states of a path, and whose the lines are that came in. */
export function diffOf(book: Book, path: FilePath, { from, to }: DiffSpan): FileDiff {
  const before = versionOf(book, book.stateAt(path, from))
  const after = to === null ? versionOnDisk(book.root, path) : versionOf(book, book.stateAt(path, to))
  const diff = compareVersions(path, before, after)
  if (!diff.texts) return diff
  const changes = book.changesOf(path).filter(({ n }) => n > from && n <= (to ?? book.newest))
  const authors = lineAuthors(book, diff.texts, changes.slice(-STEPS))
  return { ...diff, hunks: diff.hunks.map((hunk) => ({ ...hunk, author: authorOf(hunk, authors) })) }
}

/** What stands on the disk, read now; nothing is captured by it. Never through a link. */
function versionOnDisk(root: string, path: FilePath): Version {
  const nothing: Version = { state: null, bytes: () => null }
  if (!foldersAbove(path).every((folder) => statsAt(root, folder)?.isDirectory())) return nothing
  const stats = statsAt(root, path)
  if (!stats || !(stats.isFile() || stats.isDirectory() || stats.isSymbolicLink())) return nothing
  const mode = stats.isSymbolicLink() ? 0o777 : stats.mode & 0o7777
  if (stats.isDirectory()) return { state: { kind: 'folder', digest: null, mode, size: 0 }, bytes: () => null }
  const kind = stats.isFile() ? 'file' : 'link'
  // Too large to be compared: its digest tells nobody anything that is worth reading it all.
  if (stats.size > MAX_TEXT_BYTES) return { state: { kind, digest: null, mode, size: stats.size }, bytes: () => null }
  const at = diskPath(root, path)
  const bytes = lstatSync(at).isSymbolicLink() ? readlinkSync(at, 'buffer') : readFileSync(at)
  return { state: { kind, digest: digestOf(bytes).toString('hex'), mode, size: bytes.length }, bytes: () => bytes }
}

interface Line {
  /** Null: it was there before, or nobody knows. */
  readonly author: Author | null
  readonly n: number
}

/** Who brought each line of the later text in, by walking through the versions between. */
function lineAuthors(book: Book, texts: { before: string; after: string }, changes: readonly Change[]): Line[] {
  let text = texts.before
  let lines: Line[] = linesOf(text).map(() => ({ author: null, n: 0 }))
  for (const { after, author, n } of changes) {
    const bytes = after === null || after.kind === 'folder' ? new Uint8Array() : book.bytes(after)
    const next = bytes && textOf(bytes)
    // Content that is not kept or no text: what it brought counts as brought by whoever came next.
    if (next === null) continue
    lines = carried(lines, hunksOf(text, next), { author, n })
    text = next
  }
  // On the disk there may be what no capture has seen yet.
  return text === texts.after ? lines : carried(lines, hunksOf(text, texts.after), { author: null, n: 0 })
}

function carried(old: readonly Line[], hunks: readonly Hunk[], by: Line): Line[] {
  const lines: Line[] = []
  let at = 0
  for (const hunk of hunks) {
    const start = hunk.oldLines === 0 ? hunk.oldStart : hunk.oldStart - 1
    lines.push(...old.slice(at, start))
    at = start
    for (const line of hunk.lines) {
      if (line.startsWith('+')) lines.push(by)
      if (line.startsWith(' ')) lines.push(old[at] ?? by)
      if (line.startsWith(' ') || line.startsWith('-')) at += 1
    }
  }
  return [...lines, ...old.slice(at)]
}

/** Of several authors the one who came last. */
function authorOf(hunk: Hunk, authors: readonly Line[]): Author | null {
  let at = hunk.newLines === 0 ? hunk.newStart : hunk.newStart - 1
  let newest: Line | null = null
  for (const line of hunk.lines) {
    const one = line.startsWith('+') ? authors[at] : undefined
    if (one?.author && (!newest || one.n > newest.n)) newest = one
    if (line.startsWith('+') || line.startsWith(' ')) at += 1
  }
  return newest?.author ?? null
}
