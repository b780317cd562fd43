import type { History } from '../../host/history/history.ts'
import type { WorkspaceId } from '../../model/ids.ts'
import type { Log } from '../log.ts'
import { type Bench, createBench } from './captures.ts'
import type { OpenedPlace, PlaceCare } from './place-care.ts'
import type { SpaceKeeper } from './space-keeper.ts'

/** The benches of this node's places, one for each place that somebody works in or has asked about. */
export interface Benches {
  of(opened: OpenedPlace): Bench
  /** Hears what the history has to tell. */
  listen(history: History, care: PlaceCare): void
  close(): Promise<void>
}

/** So often somebody is told at most that files may have changed: each who shows some asks for them then. ms. */
const RING_MS = 250

interface Parts {
  readonly history: () => Promise<History>
  /** Tells those who follow a workspace that files in it may have changed. */
  readonly ring: (workspace: WorkspaceId) => void
  readonly spaces: SpaceKeeper
  readonly now: () => number
  readonly log: Log
}

export function createBenches(parts: Parts): Benches {
  const benches = new Map<string, Bench>()
  const stops: (() => void)[] = []
  const ringing = new Map<WorkspaceId, NodeJS.Timeout>()
  const of: Benches['of'] = ({ key, project }) => {
    const known = benches.get(key)
    if (known) return known
    const bench = createBench(key, project.space, parts)
    benches.set(key, bench)
    return bench
  }
  const ringSoon = (workspace: WorkspaceId): void => {
    if (ringing.has(workspace)) return
    const timer = setTimeout(() => {
      ringing.delete(workspace)
      parts.ring(workspace)
    }, RING_MS)
    ringing.set(workspace, timer.unref())
  }
  return {
    of,
    listen(history, care) {
      const stop = history.onNews(({ key, what }) => {
        const opened = care.followed.get(key)
        if (!opened) return
        // What a look found is told; that there is something to be found is not yet.
        if (what !== 'outside') return ringSoon(opened.project.workspace)
        const bench = of(opened)
        // While a run is at work, its own looks find what others do too.
        if (bench.workers.size === 0) bench.lookSoon('outside')
      })
      stops.push(stop)
    },
    async close() {
      for (const stop of stops) stop()
      for (const timer of ringing.values()) clearTimeout(timer)
      await Promise.allSettled([...benches.values()].map((bench) => bench.idle()))
    },
  }
}
