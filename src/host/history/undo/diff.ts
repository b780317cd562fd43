import { lstatSync, readFileSync, readlinkSync } from 'node:fs'
import type { Author, Change, FileDiff, FilePath, Hunk } from '../../../model/files/history.ts'
import { compareVersions, hunksOf } from '../../../model/files/hunks.ts'
import { linesOf, MAX_TEXT_BYTES, textOf, type Version } from '../../../model/files/merge.ts'
import { digestOf } from '../log/blobs.ts'
import type { Book } from '../log/book.ts'
import { diskPath, foldersAbove } from '../log/paths.ts'
import { versionOf } from '../log/versions.ts'
import { statsAt } from '../scan/inspect.ts'

/** Number of versions of a path that are searched for the authors of its lines; older ones count as one. */
const STEPS = 64

export interface DiffSpan {
  readonly from: number
  /** Null is the present state on disk. */
  readonly to: number | null
}

/** Compares two states of a path, with the authors of added lines. */
export function diffOf(book: Book, path: FilePath, { from, to }: DiffSpan): FileDiff {
  const before = versionOf(book, book.stateAt(path, from))
  const after = to === null ? versionOnDisk(book.root, path) : versionOf(book, book.stateAt(path, to))
  const diff = compareVersions(path, before, after)
  if (!diff.texts) return diff
  const changes = book.changesOf(path).filter(({ n }) => n > from && n <= (to ?? book.newest))
  const authors = lineAuthors(book, diff.texts, changes.slice(-STEPS))
  return { ...diff, hunks: diff.hunks.map((hunk) => ({ ...hunk, author: authorOf(hunk, authors) })) }
}

/** Reads the present state on disk without capturing it. Never follows a link. */
function versionOnDisk(root: string, path: FilePath): Version {
  const nothing: Version = { state: null, bytes: () => null }
  if (!foldersAbove(path).every((folder) => statsAt(root, folder)?.isDirectory())) return nothing
  const stats = statsAt(root, path)
  if (!stats || !(stats.isFile() || stats.isDirectory() || stats.isSymbolicLink())) return nothing
  const mode = stats.isSymbolicLink() ? 0o777 : stats.mode & 0o7777
  if (stats.isDirectory()) return { state: { kind: 'folder', digest: null, mode, size: 0 }, bytes: () => null }
  const kind = stats.isFile() ? 'file' : 'link'
  // The file is too large for a comparison: its digest would not justify reading it.
  if (stats.size > MAX_TEXT_BYTES) return { state: { kind, digest: null, mode, size: stats.size }, bytes: () => null }
  const at = diskPath(root, path)
  const bytes = lstatSync(at).isSymbolicLink() ? readlinkSync(at, 'buffer') : readFileSync(at)
  return { state: { kind, digest: digestOf(bytes).toString('hex'), mode, size: bytes.length }, bytes: () => bytes }
}

interface Line {
  /** Null: the line existed before, or its author is unknown. */
  readonly author: Author | null
  readonly n: number
}

/** Returns the author of each line of the later text, by a walk through the versions in between. */
function lineAuthors(book: Book, texts: { before: string; after: string }, changes: readonly Change[]): Line[] {
  let text = texts.before
  let lines: Line[] = linesOf(text).map(() => ({ author: null, n: 0 }))
  for (const { after, author, n } of changes) {
    const bytes = after === null || after.kind === 'folder' ? new Uint8Array() : book.bytes(after)
    const next = bytes && textOf(bytes)
    // Missing or binary content: its lines count for the author of the next version.
    if (next === null) continue
    lines = carried(lines, hunksOf(text, next), { author, n })
    text = next
  }
  // The disk may have changes that no capture has seen yet.
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

/** Returns the last of several authors. */
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
