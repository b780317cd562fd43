import type { Captured, History, LeftOutPaths, ScanRequest } from '../../host/history/history.ts'
import type { Change, FilePath, SnapshotReason, Writer } from '../../model/files/history.ts'
import type { RunId, SessionId, SpaceId } from '../../model/ids.ts'
import { createSerial } from '../../primitives/serial.ts'
import { createTimer } from '../../primitives/timers.ts'
import type { Log } from '../log.ts'
import { createConflictWatch } from './conflict-watch.ts'
import type { SpaceLocks } from './space-locks.ts'
import type { ToolPaths } from './tool-paths.ts'

interface Worker {
  readonly run: RunId
  readonly session: SessionId
  readonly paths: ToolPaths
  /** Receives the changes that this run made, or may have made. */
  found(changes: readonly Change[], captured: Captured, reason: SnapshotReason): void
  /** Receives the changes that the history does not cover, whichever program made them. */
  passed(leftOut: LeftOutPaths): void
}

type ActivityScan = Pick<ScanRequest, 'at' | 'reason' | 'mark' | 'unwatched'> & {
  readonly paths?: readonly FilePath[]
}

export interface PlaceActivity {
  readonly key: string
  readonly workers: ReadonlyMap<RunId, Worker>
  join(worker: Worker): void
  leave(run: RunId): void
  /** Scans after all scans that were requested before. Changes are not attributed to the run `without`. */
  scan(request: ActivityScan, without?: RunId): Promise<Captured>
  /** Scans after a short delay, once for all callers within it. */
  scanSoon(reason: 'tool' | 'outside'): void
  writers(): Writer[]
  /** Resolves when no scan and no note is pending. */
  idle(): Promise<void>
}

/** Delay that joins several requests into one scan. ms. */
const SOON_MS = { tool: 60, outside: 400 } as const

interface Parts {
  readonly history: () => Promise<History>
  readonly spaceLocks: SpaceLocks
  readonly now: () => number
  readonly log: Log
}

export function createPlaceActivity(key: string, space: SpaceId, parts: Parts): PlaceActivity {
  const { history, now, log } = parts
  const workers = new Map<RunId, Worker>()
  const conflicts = createConflictWatch(key, space, parts)
  const scans = createSerial()
  const soon = createTimer({ ref: false })

  const writerOf = ({ run, session }: Worker, named: readonly FilePath[]): Writer => ({ run, session, named })

  const capture = async (request: ActivityScan, without?: RunId): Promise<Captured> => {
    const present = [...workers.values()].filter(({ run }) => run !== without)
    const writers = present.map((worker) => writerOf(worker, worker.paths.take()))
    const paths = [...new Set([...(request.paths ?? []), ...writers.flatMap(({ named }) => named)])]
    const captured = await (await history()).capture(key, { ...request, paths, writers, now: now() })
    for (const worker of present) {
      worker.passed(captured.leftOut)
      const own = captured.changes.filter(({ author }) => mayBeBy(author, worker.run))
      if (own.length > 0) worker.found(own, captured, request.reason)
    }
    conflicts.see(captured.changes, writers, [...workers.keys()])
    return captured
  }

  const scan: PlaceActivity['scan'] = (request, without) => scans.run(() => capture(request, without))

  return {
    key,
    workers,
    join: (worker) => void workers.set(worker.run, worker),
    leave(run) {
      workers.delete(run)
      conflicts.forget(run)
    },
    scan,
    scanSoon(reason) {
      soon.start(SOON_MS[reason], () => {
        scan({ at: 'hints', reason }).catch((thrown) => log.warn(`The scan of ${key} failed.`, thrown))
      })
    },
    writers: () => [...workers.values()].map((worker) => writerOf(worker, worker.paths.named())),
    async idle() {
      soon.stop()
      await scans.idle()
      await conflicts.idle()
    },
  }
}

const mayBeBy = (author: Change['author'], run: RunId): boolean =>
  (author.kind === 'run' && author.run === run) || (author.kind === 'unknown' && author.among.includes(run))
