import type { Moment } from '../../../model/files/authorship.ts'
import type { FilePath } from '../../../model/files/history.ts'
import { foldersAbove, parentOf } from '../log/paths.ts'
import { FOLDER, type Present } from '../log/present.ts'
import type { Findings, Found } from './findings.ts'
import { statsAt } from './inspect.ts'

/** Hints of a change come at most this late. ms. */
export const LATE = 2_000

/** The times that earlier scans have seen, by the clock that stamps files. ms. */
export interface SeenBefore {
  /** Every change before this time was seen. */
  readonly seen: number
  /** Files that the scan before saw in mid-write, with the times of that writing. */
  readonly torn: ReadonlyMap<FilePath, number>
}

export interface Scanned extends SeenBefore {
  readonly root: string
  /** The known states before the scan's record. */
  readonly present: Present
  readonly findings: Pick<Findings, 'changed' | 'touched'>
}

/**
 * Returns when each changed path of a scan got its present state, as closely as the disk proves it. The times of a file
 * are not those of its path: a file that came with a folder, or kept its times, has changed at its path without a sign.
 *
 * The proofs: a file has a later change time (ctime) after each write, rename and link of itself. A folder
 * that is still the same one did not bring it. A folder that came has a later change time itself. An entry that went
 * away changed the time of its folder. Times that people may set (mtime) never count.
 */
export function createMoments({ root, present, findings: { changed, touched }, seen, torn }: Scanned) {
  const times = new Map<FilePath, number>()
  const timeOf = (folder: FilePath): number => {
    const known = times.get(folder)
    if (known !== undefined) return known
    const time = latest(statsAt(root, folder)?.ctimeMs)
    times.set(folder, time)
    return time
  }
  const stayed = new Map<FilePath, boolean>()
  const hasStayed = (folder: FilePath): boolean => {
    const known = stayed.get(folder)
    if (known !== undefined) return known
    const found = changed.get(folder) ?? touched.get(folder)
    const is = found
      ? found.stats?.ino != null && found.stats.ino === found.known?.ino
      : present.get(folder)?.kind === FOLDER
    stayed.set(folder, is)
    return is
  }
  /** The newest time of the folders above a path that may have come since the last scan. */
  const cameAt = (path: FilePath): number =>
    foldersAbove(path).reduce((time, folder) => (hasStayed(folder) ? time : Math.max(time, timeOf(folder))), 0)
  const isThere = (folder: FilePath): boolean => folder === '' || timeOf(folder) > 0
  const moved = movedFiles(changed)
  const arrived = arrivedFiles(changed, cameAt)

  return (path: FilePath, { known, state, stats }: Found): Moment => {
    if (!state) {
      let folder = parentOf(path)
      while (!isThere(folder)) folder = parentOf(folder)
      const left = Math.max(timeOf(folder), cameAt(folder))
      // A file that lies elsewhere now left before it came there.
      const arrival = known?.ino == null ? undefined : arrived().get(known.ino)
      return between(seen, arrival === undefined || arrival < seen ? left : Math.min(left, arrival))
    }
    const came = cameAt(path)
    if (state.kind === FOLDER) return between(seen, Math.max(timeOf(path), came))
    const own = latest(stats?.ctime)
    const isOld = own < seen || (stats?.ino != null && moved().get(stats.ino) === stats.ctime)
    if (isOld) return between(seen, came)
    // The writing began at the latest when a scan saw it.
    return { from: Math.min(own, torn.get(path) ?? own), to: Math.max(own, came), stamped: true }
  }
}

/** Without a time of its own, or with one from before the last scan, only the two scans bound the change. */
const between = (from: number, to: number): Moment => ({
  from,
  to: to >= from && to > 0 ? to : Number.POSITIVE_INFINITY,
  stamped: false,
})

/** A disk that counts whole seconds may have stamped at their end. 0 for no time. */
const latest = (time: number | null | undefined): number => (time == null ? 0 : time % 1_000 === 0 ? time + 999 : time)

/** Returns by when each file lay at its changed path, by inode: it changed then itself, or came with a folder. */
function arrivedFiles(
  changed: Findings['changed'],
  cameAt: (path: FilePath) => number,
): () => ReadonlyMap<number, number> {
  let files: Map<number, number> | null = null
  return () => {
    if (files) return files
    files = new Map()
    for (const [path, { stats }] of changed)
      if (stats?.ino != null && stats.ctime != null) files.set(stats.ino, Math.max(latest(stats.ctime), cameAt(path)))
    return files
  }
}

/** Returns the change time of each known file whose path changed, by inode: found elsewhere unchanged, it was moved. */
function movedFiles(changed: Findings['changed']): () => ReadonlyMap<number, number> {
  let files: Map<number, number> | null = null
  return () => {
    if (files) return files
    files = new Map()
    for (const { known } of changed.values())
      if (known?.ino != null && known.ctime != null && known.kind !== FOLDER) files.set(known.ino, known.ctime)
    return files
  }
}
