import type { Captured, ScanRequest } from '../../host/history/history.ts'
import type { Writer } from '../../model/files/authorship.ts'
import type { Change, FilePath } from '../../model/files/history.ts'
import type { RunId, SpaceId } from '../../model/ids.ts'
import { createSerial } from '../../primitives/serial.ts'
import { createTimer } from '../../primitives/timers.ts'
import type { Log } from '../log.ts'
import { createConflictWatch } from './conflict-watch.ts'
import { createPlaceRuns, type PlaceRuns } from './place-runs.ts'
import type { SpaceLocks } from './space-locks.ts'

type ActivityScan = Pick<ScanRequest, 'at' | 'reason' | 'mark'> & {
  readonly paths?: readonly FilePath[]
}

/** The runs and the scans of a place. */
export interface PlaceActivity extends PlaceRuns {
  readonly key: string
  /** Scans after all scans that were requested before. Changes are not attributed to the run `without`. */
  scan(request: ActivityScan, without?: RunId): Promise<Captured>
  /** Does something while no scan is under way, after all that were requested before. */
  between(work: () => void): Promise<void>
  /** Scans after a short delay, once for all callers within it. */
  scanSoon(reason: 'tool' | 'outside'): void
  /** Returns the runs that may write from now on, for a scan of the history's own. */
  writers(): Promise<Writer[]>
  /** Resolves when no scan and no note is pending. */
  idle(): Promise<void>
}

/** Delay that joins several requests into one scan. ms. */
const SOON_MS = { tool: 60, outside: 400 } as const

type Parts = Parameters<typeof createPlaceRuns>[0] & {
  readonly spaceLocks: SpaceLocks
  readonly now: () => number
  readonly log: Log
}

export function createPlaceActivity(key: string, space: SpaceId, parts: Parts): PlaceActivity {
  const { history, now, log } = parts
  const { runs, writers: writersNow } = createPlaceRuns(parts)
  const { workers } = runs
  const conflicts = createConflictWatch(key, space, parts)
  const scans = createSerial()
  const soon = createTimer({ ref: false })

  const capture = async (request: ActivityScan, without?: RunId): Promise<Captured> => {
    const writers = await writersNow((paths) => paths.take(), without)
    const present = [...workers.values()].filter(({ run }) => writers.some((writer) => writer.run === run))
    const paths = [...new Set([...(request.paths ?? []), ...writers.flatMap(({ named }) => named)])]
    const captured = await (await history()).capture(key, { ...request, paths, writers, now: now() })
    for (const worker of present) {
      worker.passed(captured.leftOut)
      const own = captured.changes.filter(({ author }) => mayBeBy(author, worker.run))
      if (own.length > 0) worker.found(own, captured, request.reason)
    }
    if (captured.unsettled) scanSoon('outside')
    conflicts.see(captured.changes, writers, [...workers.keys()])
    return captured
  }

  const scan: PlaceActivity['scan'] = (request, without) => scans.run(() => capture(request, without))
  const scanSoon: PlaceActivity['scanSoon'] = (reason) =>
    soon.start(SOON_MS[reason], () => {
      scan({ at: 'hints', reason }).catch((thrown) => log.warn(`The scan of ${key} failed.`, thrown))
    })

  return {
    key,
    workers,
    get isAtWork() {
      return runs.isAtWork
    },
    join: runs.join,
    leave(run) {
      runs.leave(run)
      conflicts.forget(run)
    },
    left: runs.left,
    takeCut: runs.takeCut,
    scan,
    between: (work) => scans.run(work),
    scanSoon,
    writers: () => writersNow((paths) => paths.named()),
    async idle() {
      soon.stop()
      await scans.idle()
      await conflicts.idle()
    },
  }
}

const mayBeBy = (author: Change['author'], run: RunId): boolean =>
  (author.kind === 'run' && author.run === run) || (author.kind === 'unknown' && author.among.includes(run))
