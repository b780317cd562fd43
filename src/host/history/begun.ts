import { dirname } from 'node:path/posix'
import type { FilePath } from '../../model/history.ts'
import type { RunId } from '../../model/ids.ts'
import type { Found } from './findings.ts'
import { statsAt } from './look.ts'
import type { Mark } from './record.ts'

/** Hints of a change come this late at most; what a disk says to be older has a clock that is not ours. ms. */
const LATE = 2_000

/**
 * When the runs at work here began, by the clock that stamps files. A hint may come after the look at a run's beginning:
 * what was written before it is not the run's.
 */
export interface Begun {
  /** Takes what a look marks, once it has looked. @param now of the disk's clock */
  note(marks: readonly Mark[], now: () => number): void
  /** Whether this run was not there yet when the path became what it is now. */
  isBefore(run: RunId, path: FilePath, found: Found): boolean
}

export function createBegun(root: string): Begun {
  const begins = new Map<RunId, number>()
  return {
    note(marks, now) {
      for (const { run, what } of marks) {
        if (what === 'start') begins.set(run, now())
        else begins.delete(run)
      }
    },
    isBefore(run, path, { state, stats }) {
      const begin = begins.get(run)
      if (begin === undefined) return false
      // The folder was written when something in it went away.
      const written = state ? (stats?.ctime ?? statsAt(root, path)?.ctimeMs) : statsAt(root, folderOf(path))?.mtimeMs
      return written !== undefined && written < begin && written >= begin - LATE
    },
  }
}

const folderOf = (path: FilePath): FilePath => (dirname(path) === '.' ? '' : dirname(path))
