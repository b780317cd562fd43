import type { FilePath } from '../../model/history.ts'
import type { RunId } from '../../model/ids.ts'
import type { Findings, Found } from './findings.ts'
import { statsAt } from './look.ts'
import { foldersAbove, parentOf } from './paths.ts'
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
  /** Of all that one look found: whether a run was not there yet when a path became what it is now. */
  before(changed: Findings['changed']): (run: RunId, path: FilePath, found: Found) => boolean
}

export function createBegun(root: string): Begun {
  const begins = new Map<RunId, number>()
  const stamped = (path: FilePath) => statsAt(root, path)?.ctimeMs
  return {
    note(marks, now) {
      for (const { run, what } of marks) {
        if (what === 'start') begins.set(run, now())
        else begins.delete(run)
      }
    },
    before(changed) {
      const cameWith = movers(changed)
      const own = (path: FilePath, { state, stats }: Found) =>
        // The folder was written when something in it went away, or put there in its stead.
        state ? (stats?.ctime ?? stamped(path)) : stamped(parentOf(path))
      return (run, path, found) => {
        const begin = begins.get(run)
        if (begin === undefined) return false
        const at = own(path, found)
        const isBefore = at !== undefined && at < begin && at >= begin - LATE
        return isBefore && cameWith(path, found).every((folder) => (stamped(folder) ?? 0) < begin)
      }
    },
  }
}

/**
 * The new folders that a path came with: what is moved along with its folder keeps its own times. It is the file that
 * went away elsewhere; of a folder that cannot be told, and little hangs on it.
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
