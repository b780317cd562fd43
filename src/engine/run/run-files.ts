import { setTimeout as pause } from 'node:timers/promises'
import type { Captured, History } from '../../host/history/history.ts'
import type { Change, FilePath, SnapshotReason } from '../../model/history.ts'
import type { RunId, SessionId } from '../../model/ids.ts'
import type { RunView } from '../../model/view.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { createSerial } from '../../primitives/serial.ts'
import type { OpenedPlace } from '../files/place-care.ts'
import { eventOf } from '../folding.ts'
import { createRunChanges } from './run-changes.ts'
import { openPlaceOf } from './run-context.ts'
import { createRunLeftOut } from './run-left-out.ts'
import type { RunWork } from './run-work.ts'
import { createToolPaths, pathsInside, type ToolPaths } from './tool-paths.ts'

/** The files of a run: what was there before it, what it changes, what is there after it. */
export interface RunFiles {
  readonly run: RunId
  readonly opened: OpenedPlace
  readonly paths: ToolPaths
  /** A path as the agent or this process says it, inside the place; null for one outside. */
  toPath(said: string): FilePath | null
  /** Resolves when what was there before the run is in the history, or after a moment without it, which is said. */
  begun(): Promise<void>
  /** Takes an ACP update as the agent said it. */
  heard(update: unknown): void
  /** Puts away what stands at paths that are about to be written, where the first import has not come to them. */
  keep(paths: readonly FilePath[]): Promise<void>
  /** Whose a path is now, as the history has it after a look. */
  lastAuthor(path: FilePath): Promise<Change['author'] | null>
  /** The last look at the run's work; what it finds is recorded before this resolves. */
  end(what: 'ended' | 'parked'): Promise<void>
  /** It is not served here any more. Safe to repeat. */
  leave(): void
}

const PAGE = 1_000

/** What is known of a run before its admission is in the log. */
export type RunStart = Pick<RunView, 'id' | 'startedAt'>

/** Joins a run to the bench of its place, and begins to look. @throws gone when the place is not there (F8) */
export async function openFiles(
  work: RunWork,
  run: RunStart,
  how: 'start' | 'resume' | 'rejoin',
  opened: Promise<OpenedPlace> = openPlaceOf(work),
): Promise<RunFiles> {
  return joinFiles(work, run, await opened, how)
}

function joinFiles(work: RunWork, run: RunStart, opened: OpenedPlace, how: 'start' | 'resume' | 'rejoin'): RunFiles {
  const { ctx, recorder } = work
  const bench = ctx.benches.of(opened)
  const { key, place } = opened
  const session = recorder.session.id as SessionId
  const toPath = pathsInside(place.path, place.root)
  const paths = createToolPaths(toPath, ctx.now)
  const publish = createPublisher(work, run, key)
  const leftOut = createRunLeftOut()
  // Where the import takes longer, there is still time for the look itself.
  const patienceMs = Math.ceil(ctx.config.historyWaitMs * 0.8)
  let ready = false
  bench.join({ run: run.id as RunId, session, paths, found: publish.found, passed: leftOut.take })

  const begin = async (signal: AbortSignal) => {
    const status = await ctx.care.follow(opened)
    const history = await ctx.history()
    if (
      status.state === 'importing' &&
      !(await imported(history, key, AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])))
    )
      say(
        'The history of this folder is still being made; what this run changes before it is ready may be missing there.',
      )
    // A run that goes on has a part behind it, which only the history remembers.
    if (run.startedAt !== null) publish.resume(await history.changesBy(key, { run: run.id as RunId }))
    // Its agent went on while nobody looked, and so may people have: its own is what it named.
    if (how === 'rejoin') await hearAgain(work, run, paths)
    const before = await (how === 'rejoin'
      ? bench.look({ at: 'hints', reason: 'tool', unwatched: true })
      : bench.look({ at: 'hints', reason: 'run_start', mark: markOf('start') }, run.id as RunId))
    publish.from(before.n)
    ready = true
  }
  const markOf = (what: 'start' | 'end') => ({ run: run.id as RunId, session, what })
  const leaving = new AbortController()
  const beginning = begin(leaving.signal)
  beginning.catch(() => undefined)
  const say = (text: string, level: 'info' | 'warning' = 'warning') =>
    recorder.push({ type: 'notice.given', run: run.id, data: { level, text, data: { place: key } } })

  return {
    run: run.id as RunId,
    opened,
    paths,
    toPath,
    async begun() {
      try {
        const late = pause(ctx.config.historyWaitMs, 'late' as const, { ref: false })
        if ((await Promise.race([beginning, late])) !== 'late') return
        say(
          'The history of this folder is not ready yet; the run begins without it. What was there before may be missing.',
        )
      } catch (thrown) {
        ctx.log.warn(`The history of ${key} does not work.`, thrown)
        say(`The history of this folder does not work, so this run cannot be undone: ${messageOf(thrown)}`)
      }
    },
    heard(update) {
      const { ended, names } = paths.hear(update)
      if (names.length > 0 && !ready) void keepFirst(names)
      if (ended && ready) bench.lookSoon('tool')
    },
    keep: async (named) => (ready ? undefined : await keepFirst(named)),
    async lastAuthor(path) {
      if (!ready) return null
      await bench.look({ at: 'hints', reason: 'tool', paths: [path] })
      const [newest] = await (await ctx.history()).pathHistory(key, path, { before: null, limit: 1 })
      return newest?.author ?? null
    },
    async end(what) {
      leaving.abort()
      try {
        await beginning.catch(() => undefined)
        if (!ready) return
        const reason = what === 'ended' ? ('run_end' as const) : ('tool' as const)
        const mark = what === 'ended' ? { mark: markOf('end') } : {}
        // Who waits for this run does not wait for a first import.
        await bench.look({ at: 'imported', reason, ...mark })
        await publish.settled()
        const words = leftOut.words()
        if (words !== null) say(words, 'info')
      } catch (thrown) {
        ctx.log.warn(`What ${run.id} left in ${key} could not be seen.`, thrown)
        say(`What this run changed last is not in the history: ${messageOf(thrown)}`)
      } finally {
        bench.leave(run.id as RunId)
      }
    },
    leave() {
      leaving.abort()
      bench.leave(run.id as RunId)
    },
  }

  async function keepFirst(named: readonly FilePath[]): Promise<void> {
    try {
      await (await ctx.history()).keepFirst(key, named)
    } catch (thrown) {
      ctx.log.warn(`The first content of paths in ${key} could not be kept.`, thrown)
    }
  }
}

/** What the run's tool calls named in an earlier life of this server, as its log has it. */
async function hearAgain({ ctx, recorder }: RunWork, run: RunStart, paths: ToolPaths): Promise<void> {
  const begins = recorder.view.run?.n ?? 0
  for (let after = begins - 1; ; ) {
    const lines = await ctx.store.log.read(recorder.session.id as SessionId, after, PAGE)
    for (const event of lines.map(eventOf)) {
      after = event.seq
      if (event.type === 'agent.update' && event.run === run.id) paths.hear(event.data.update)
    }
    if (lines.length < PAGE) return
  }
}

/** Waits a moment for the first import; most are done before an agent has started. */
async function imported(history: History, key: string, patience: AbortSignal): Promise<boolean> {
  return await history.ready(key, patience).then(
    () => true,
    () => false,
  )
}

/** Says in the run's log what it changed until now, each time that more is found. */
function createPublisher({ ctx, recorder }: RunWork, run: RunStart, key: string) {
  const changes = createRunChanges()
  let first = 0
  const readings = createSerial()
  const say = ({ n }: Captured, reason: SnapshotReason) => {
    const data = { run: run.id as RunId, place: key, from: Math.min(first, n), n, reason, ...changes.summary() }
    recorder.push({ type: 'snapshot.taken', run: run.id, data })
  }
  const whole = async (captured: Captured, reason: SnapshotReason) => {
    const history: History = await ctx.history()
    changes.reset(await history.changesBy(key, { run: run.id as RunId }))
    say(captured, reason)
  }
  return {
    from: (n: number) => {
      first ||= n
    },
    resume(known: readonly Change[]) {
      changes.reset(known)
      const begins = known[0]?.n
      if (begins !== undefined) first = Math.max(begins - 1, 0)
    },
    found(mine: readonly Change[], captured: Captured, reason: SnapshotReason) {
      const { created, modified, deleted } = captured.counts
      // More than a look tells one by one: the history knows them all.
      if (created + modified + deleted > captured.changes.length) {
        readings.run(() => whole(captured, reason)).catch((thrown) => ctx.log.warn(`${run.id}`, thrown))
        return
      }
      changes.take(mine)
      say(captured, reason)
    },
    settled: readings.idle,
  }
}
