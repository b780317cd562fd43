import type { Author, FilePath } from '../../../model/files/history.ts'
import type { RunId } from '../../../model/ids.ts'
import type { Findings, Found } from './findings.ts'
import { TICK } from './inspect.ts'
import type { JoinedScan, RecorderParts } from './record.ts'

/** `brought`: content older than its change, from outside of the history. `named`: by a run that named the path. */
export type ChangeNote = 'brought' | 'named'

/**
 * Tells where the content of changes came from. A move keeps the birth of a file, a copy across disks its time; content
 * that a covered path has, or that moved within the history, is not brought.
 */
export function createOrigins({ db, id, blobs, present }: RecorderParts) {
  const started = db.prepare(`select at from marks where place = ? and run = ? and what = 'start'`)
  const newest = db.prepare('select max(at) as at from snapshots where place = ?')
  const startOf = (run: RunId) => Number(started.get(id, run)?.at ?? 0)
  /** Content of an author is younger than this. ms. */
  const begin = (author: Author): number => {
    if (author.kind === 'run') return startOf(author.run)
    if (author.kind === 'unknown') return Math.max(...author.among.map(startOf))
    return author.kind === 'outside' ? Number(newest.get(id)?.at ?? 0) : 0
  }
  /** Returns a function that notes a change of a scan. Call it before the content is stored. */
  return (scan: JoinedScan, changed: Findings['changed']) => {
    const named = new Set(scan.writers.flatMap((writer) => writer.named))
    const acted = new Set(scan.act?.paths)
    const begins = new Map<string, number>()
    const beginOf = (author: Author) => {
      const key = author.kind === 'run' ? author.run : author.kind === 'unknown' ? author.among.join() : author.kind
      const at = begins.get(key) ?? begin(author)
      begins.set(key, at)
      return at
    }
    let inodes: ReadonlySet<number> | null = null
    /** A file that moved within the place, or a further link to one that changed, is not from outside. */
    const isKnown = (ino: number) => {
      inodes ??= new Set([...changed.values()].flatMap(({ known }) => known?.ino ?? []))
      return inodes.has(ino)
    }
    let held: ReadonlySet<number | null> | null = null
    const isHeld = (digest: Buffer) => {
      held ??= new Set([...present.all().values()].map(({ blob }) => blob))
      const blob = blobs.idOf(digest)
      return blob !== null && held.has(blob)
    }
    return (path: FilePath, { state, stats, uncovered }: Found, author: Author): ChangeNote | null => {
      if (!state?.content || state.size === 0 || uncovered || acted.has(path)) return null
      if (named.has(path)) return 'named'
      if (stats?.ino == null || isKnown(stats.ino)) return null
      const oldest = Math.min(stats.born ?? Number.POSITIVE_INFINITY, stats.mtime ?? Number.POSITIVE_INFINITY)
      if (oldest >= beginOf(author) - TICK) return null
      return isHeld(state.content.digest) ? null : 'brought'
    }
  }
}
