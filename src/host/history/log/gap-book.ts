import type { DatabaseSync } from 'node:sqlite'
import type { FilePath, Gap } from '../../../model/files/history.ts'
import { comparePaths, foldersAbove, pathBytes, pathOf } from './paths.ts'

type Why = Gap['why']
export interface GapNote {
  readonly why: Why
  readonly bytes: number | null
  /** `identityOf` the path, where a rule excludes it; else null. */
  readonly identity?: string | null
}

/** Paths of a place that are not covered, with the reason. Few enough for memory. */
export type GapBook = ReturnType<typeof openGapBook>

export function openGapBook(db: DatabaseSync, place: number) {
  const all = db.prepare('select path, why, bytes, identity from gaps where place = ?')
  const put = db.prepare('insert or replace into gaps (place, path, why, bytes, identity) values (?, ?, ?, ?, ?)')
  const remove = db.prepare('delete from gaps where place = ? and path = ?')
  const read = () =>
    new Map(
      (all.all(place) as unknown as (Required<GapNote> & { path: Uint8Array })[]).map(({ path, ...gap }) => [
        pathOf(path),
        gap,
      ]),
    )
  let gaps: Map<FilePath, GapNote> = read()
  return {
    get size(): number {
      return gaps.size
    },
    at: (path: FilePath): GapNote | null => gaps.get(path) ?? null,
    /** Returns the gap of the path itself, or of the outermost folder above it. */
    covering(path: FilePath): Gap | null {
      for (const at of [...foldersAbove(path), path]) {
        const gap = gaps.get(at)
        if (gap) return { path: at, why: gap.why, bytes: gap.bytes, files: null }
      }
      return null
    },
    /** Ordered by path. */
    list: (): Gap[] =>
      [...gaps]
        .map(([path, { why, bytes }]) => ({ path, why, bytes, files: null }))
        .sort((a, b) => comparePaths(a.path, b.path)),
    entries: (): IterableIterator<[FilePath, GapNote]> => gaps.entries(),
    /** Null removes the gap. Call within a transaction. */
    set(path: FilePath, gap: GapNote | null): void {
      if (gap) {
        put.run(place, pathBytes(path), gap.why, gap.bytes, gap.identity ?? null)
        gaps.set(path, gap)
      } else {
        remove.run(place, pathBytes(path))
        gaps.delete(path)
      }
    },
    /** Reads everything again, after a rollback. */
    forget: (): void => {
      gaps = read()
    },
  }
}
