import type { FilePath } from '../../../model/files/history.ts'
import type { RunId } from '../../../model/ids.ts'
import { foldersAbove, parentOf } from '../log/paths.ts'
import type { Findings, Found } from './findings.ts'
import { statsAt } from './inspect.ts'
import type { Mark } from './record.ts'

/** Hints of a change come at most this late. An older time comes from a disk with another clock. ms. */
const LATE = 2_000

/** Start times of runs by the clock that stamps files: a late hint of an earlier write is not the run's. */
export type RunStarts = ReturnType<typeof createRunStarts>

export function createRunStarts(root: string) {
  const starts = new Map<RunId, number>()
  const stamped = (path: FilePath) => statsAt(root, path)?.ctimeMs
  return {
    /** Notes the marks of a scan, after the scan. `now` is by the disk's clock. */
    note(marks: readonly Mark[], now: () => number): void {
      for (const { run, what } of marks) {
        if (what === 'start') starts.set(run, now())
        else starts.delete(run)
      }
    },
    /** Returns a test whether a run had not started yet when a path of this scan got its present state. */
    before(changed: Findings['changed']): (run: RunId, path: FilePath, found: Found) => boolean {
      const cameWith = movers(changed)
      const own = (path: FilePath, { state, stats }: Found) =>
        // The folder got its time when something in it was removed or replaced.
        state ? (stats?.ctime ?? stamped(path)) : stamped(parentOf(path))
      return (run, path, found) => {
        const begin = starts.get(run)
        if (begin === undefined) return false
        const at = own(path, found)
        const isBefore = at !== undefined && at < begin && at >= begin - LATE
        return isBefore && cameWith(path, found).every((folder) => (stamped(folder) ?? 0) < begin)
      }
    },
  }
}

/**
 * Returns the new folders that a path came with, because a file moved with its folder keeps its own times. The inode of
 * a removed file proves the move; for a folder there is no such proof, and little depends on it.
 */
function movers(changed: Findings['changed']): (path: FilePath, found: Found) => readonly FilePath[] {
  let gone: ReadonlySet<number> | null = null
  const wentAway = () =>
    new Set([...changed.values()].flatMap(({ known, state }) => (!state && known?.ino ? [known.ino] : [])))
  return (path, { known, stats }) => {
    if (known) return []
    gone ??= wentAway()
    if (stats?.ino && !gone.has(stats.ino)) return []
    return foldersAbove(path).filter((folder) => changed.get(folder)?.known === null)
  }
}
