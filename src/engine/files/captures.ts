import type { Captured, History, LeftOutPaths, ScanRequest } from '../../host/history/history.ts'
import type { Change, FilePath, SnapshotReason, Writer } from '../../model/history.ts'
import type { RunId, SessionId, SpaceId } from '../../model/ids.ts'
import { createSerial } from '../../primitives/serial.ts'
import { createTimer } from '../../primitives/timers.ts'
import type { Log } from '../log.ts'
import type { ToolPaths } from '../run/tool-paths.ts'
import { watchConflicts } from './conflict-watch.ts'
import type { SpaceKeeper } from './space-keeper.ts'

/** A run at work, as those see it who share its place. */
export interface Worker {
  readonly run: RunId
  readonly session: SessionId
  readonly paths: ToolPaths
  /** What a capture found of this run's work. */
  found(changes: readonly Change[], captured: Captured, reason: SnapshotReason): void
  /** What a capture saw come and go that the history does not cover, whoever did it. */
  passed(leftOut: LeftOutPaths): void
}

/** A look at a place, as somebody in the engine wants it. */
export type Wish = Pick<ScanRequest, 'at' | 'reason' | 'mark' | 'unwatched'> & { readonly paths?: readonly FilePath[] }

/** What is going on in one place: who works there, and the looks that are taken. */
export interface Bench {
  readonly key: string
  readonly workers: ReadonlyMap<RunId, Worker>
  join(worker: Worker): void
  leave(run: RunId): void
  /** Looks now, after the looks that were asked for before. */
  look(wish: Wish, without?: RunId): Promise<Captured>
  /** Looks in a moment, once for all who ask until then. */
  lookSoon(reason: 'tool' | 'outside'): void
  /** Who is at work, for a look that somebody else takes. */
  writers(): Writer[]
  /** Whatever is under way is done. */
  idle(): Promise<void>
}

/** Calls that end together are one look. ms. */
const SOON_MS = { tool: 60, outside: 400 } as const

interface Parts {
  readonly history: () => Promise<History>
  readonly spaces: SpaceKeeper
  readonly now: () => number
  readonly log: Log
}

export function createBench(key: string, space: SpaceId, parts: Parts): Bench {
  const { history, now, log } = parts
  const workers = new Map<RunId, Worker>()
  const conflicts = watchConflicts(key, space, parts)
  const looks = createSerial()
  const soon = createTimer({ ref: false })

  const writerOf = ({ run, session }: Worker, named: readonly FilePath[]): Writer => ({ run, session, named })

  const take = async (wish: Wish, without?: RunId): Promise<Captured> => {
    const present = [...workers.values()].filter(({ run }) => run !== without)
    const writers = present.map((worker) => writerOf(worker, worker.paths.take()))
    const paths = [...new Set([...(wish.paths ?? []), ...writers.flatMap(({ named }) => named)])]
    const captured = await (await history()).capture(key, { ...wish, paths, writers, now: now() })
    for (const worker of present) {
      worker.passed(captured.leftOut)
      const mine = captured.changes.filter(({ author }) => mayBe(author, worker.run))
      if (mine.length > 0) worker.found(mine, captured, wish.reason)
    }
    conflicts.see(captured.changes, writers, [...workers.keys()])
    return captured
  }

  const look: Bench['look'] = (wish, without) => looks.run(() => take(wish, without))

  return {
    key,
    workers,
    join: (worker) => void workers.set(worker.run, worker),
    leave(run) {
      workers.delete(run)
      conflicts.forget(run)
    },
    look,
    lookSoon(reason) {
      soon.start(SOON_MS[reason], () => {
        look({ at: 'hints', reason }).catch((thrown) => log.warn(`A look at ${key} failed.`, thrown))
      })
    },
    writers: () => [...workers.values()].map((worker) => writerOf(worker, worker.paths.named())),
    async idle() {
      soon.stop()
      await looks.idle()
      await conflicts.idle()
    },
  }
}

/** Whose it is for sure, or may be: several were at work and none named the path. */
const mayBe = (author: Change['author'], run: RunId): boolean =>
  (author.kind === 'run' && author.run === run) || (author.kind === 'unknown' && author.among.includes(run))
