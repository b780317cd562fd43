import type { Captured, History, LeftOutPaths } from '../../host/history/history.ts'
import type { Writer } from '../../model/files/authorship.ts'
import type { Change, FilePath, SnapshotReason } from '../../model/files/history.ts'
import type { RunId, SessionId } from '../../model/ids.ts'
import type { CutRun } from './cut-runs.ts'
import type { Presence } from './presence.ts'
import type { ToolPaths } from './tool-paths.ts'

export interface Worker {
  readonly run: RunId
  readonly session: SessionId
  readonly paths: ToolPaths
  readonly presence: Presence
  /** Receives the changes that this run made, or may have made. */
  found(changes: readonly Change[], captured: Captured, reason: SnapshotReason): void
  /** Receives the changes that the history does not cover, whichever program made them. */
  passed(leftOut: LeftOutPaths): void
}

/**
 * The runs of a place. A run joins before its beginning, so that a scan that is still going on when it begins knows of
 * it. Only its presence says when it could write.
 */
export interface PlaceRuns {
  readonly workers: ReadonlyMap<RunId, Worker>
  /** Whether a run may write at this moment: then its own scans find the changes of others too. */
  readonly isAtWork: boolean
  join(worker: Worker): void
  leave(run: RunId): void
  /** Resolves when a run is not here: it has left, or never joined. */
  left(run: RunId): Promise<void>
  /** Passes on the times of a run that an earlier server began; until then every scan reckons with it. */
  takeCut(run: RunId, presence: Presence): Promise<void>
}

interface Parts {
  readonly history: () => Promise<History>
  /** Finds the runs of this place that an earlier server began and nobody has ended. */
  readonly cutRuns: () => Promise<readonly CutRun[]>
  readonly onJoined: () => void
}

/** Returns the runs of a place, with the writers for a scan that begins now. */
export function createPlaceRuns({ history, cutRuns, onJoined }: Parts) {
  const workers = new Map<RunId, Worker>()
  const leaving = new Map<RunId, PromiseWithResolvers<void>>()
  let cut: Promise<Map<RunId, CutRun>> | null = null
  const left = async () => {
    cut ??= cutRuns().then((runs) => new Map(runs.map((each) => [each.run, each])))
    try {
      return await cut
    } catch (thrown) {
      cut = null
      throw thrown
    }
  }
  const runs: PlaceRuns = {
    workers,
    get isAtWork() {
      return [...workers.values()].some(({ presence }) => presence.now === 'work')
    },
    join(worker) {
      workers.set(worker.run, worker)
      leaving.set(worker.run, Promise.withResolvers())
      onJoined()
    },
    leave(run) {
      workers.delete(run)
      leaving.get(run)?.resolve()
      leaving.delete(run)
    },
    left: async (run) => await leaving.get(run)?.promise,
    async takeCut(run, presence) {
      const earlier = await left()
      const known = earlier.get(run)
      if (!known) return
      earlier.delete(run)
      presence.continue(known.spans)
    },
  }
  return {
    runs,
    /**
     * @param namedBy returns the paths that a run named
     * @param without the run whose state before its beginning is scanned; one that did not wait for it counts
     */
    async writers(namedBy: (paths: ToolPaths) => FilePath[], without?: RunId): Promise<Writer[]> {
      const [{ clock }, earlier] = await Promise.all([history(), left()])
      const at = clock()
      const here = [...workers.values()].filter(({ run, presence }) => run !== without || presence.now !== null)
      const writers = here.map(({ run, session, paths, presence }) => {
        const spans = earlier.get(run)?.spans ?? presence.spans(at, paths.isRunning())
        return { run, session, named: namedBy(paths), spans }
      })
      const others = [...earlier.values()].filter(({ run }) => !workers.has(run))
      return [...writers, ...others.map((each) => ({ ...each, named: [] }))]
    },
  }
}
