import type { History } from '../host/history/history.ts'
import { type Bench, createBench } from './captures.ts'
import type { Log } from './context.ts'
import type { OpenedPlace, PlaceCare } from './place-care.ts'
import type { SpaceKeeper } from './space-keeper.ts'

/** The benches of this node's places, one for each place that somebody works in or has asked about. */
export interface Benches {
  of(opened: OpenedPlace): Bench
  /** Hears what the history has to tell. */
  listen(history: History, care: PlaceCare): void
  close(): Promise<void>
}

interface Parts {
  readonly history: () => Promise<History>
  readonly spaces: SpaceKeeper
  readonly now: () => number
  readonly log: Log
}

export function createBenches(parts: Parts): Benches {
  const benches = new Map<string, Bench>()
  const stops: (() => void)[] = []
  const of: Benches['of'] = ({ key, project }) => {
    const known = benches.get(key)
    if (known) return known
    const bench = createBench(key, project.space, parts)
    benches.set(key, bench)
    return bench
  }
  return {
    of,
    listen(history, care) {
      const stop = history.onNews(({ key, what }) => {
        const opened = care.followed.get(key)
        if (what !== 'outside' || !opened) return
        const bench = of(opened)
        // While a run is at work, its own looks find what others do too.
        if (bench.workers.size === 0) bench.lookSoon('outside')
      })
      stops.push(stop)
    },
    async close() {
      for (const stop of stops) stop()
      await Promise.allSettled([...benches.values()].map((bench) => bench.idle()))
    },
  }
}
