import { setTimeout as pause } from 'node:timers/promises'
import { CarrelError } from '../../../model/errors.ts'
import type { RunView } from '../../../model/events/view.ts'
import type { Change, FilePath } from '../../../model/files/history.ts'
import type { RunId, SessionId } from '../../../model/ids.ts'
import { messageOf } from '../../../primitives/message-of.ts'
import { awakeSignal, resolvesWithin } from '../../../primitives/timers.ts'
import type { PlaceActivity } from '../../files/place-activity.ts'
import type { OpenedPlace } from '../../files/project-places.ts'
import { createToolPaths, pathsInside, type ToolPaths } from '../../files/tool-paths.ts'
import { eventOf } from '../../folding.ts'
import { openPlaceOf } from '../run-context.ts'
import type { RunWork } from '../run-work.ts'
import { RunLeftOut } from './run-left-out.ts'
import { createRunPublisher, type RunPublisher } from './run-publisher.ts'
import { RunTimes } from './run-times.ts'

const PAGE = 1_000
/** A snapshot waits no longer for the end of writes: it may be reported to the next holder. ms. */
const WRITES_MS = 1_000
/** A write waits no longer for the scan that is under way. ms. */
const NAMED_MS = 1_000

/** The part of a run that is known before its admission is in the log. */
export type RunStart = Pick<RunView, 'id' | 'startedAt'>

/** `after`: the run has ended, and its agent goes on in the background. */
type How = 'start' | 'resume' | 'rejoin' | 'after'

/** Joins a run to the activity of its place and begins the first snapshot. @throws gone when the place is missing (F8) */
export async function openFiles(
  work: RunWork,
  run: RunStart,
  how: How,
  opened: Promise<OpenedPlace> = openPlaceOf(work),
): Promise<RunFiles> {
  const place = await opened
  // A run has its place once only: its background work joins after it has left.
  if (how === 'after') await work.ctx.activities.of(place).left(run.id as RunId)
  return new RunFiles(work, run, place, how)
}

/** The files of a run: their state before it, its changes, and their state after it. */
export class RunFiles {
  readonly run: RunId
  readonly opened: OpenedPlace
  /** Turns a path of the agent or of this process into a path inside the place; null for one outside. */
  readonly toPath: (path: string) => FilePath | null
  readonly paths: ToolPaths
  readonly times: RunTimes
  readonly #how: How
  readonly #work: RunWork
  readonly #afterword: { readonly afterword?: true }
  readonly #activity: PlaceActivity
  readonly #publisher: RunPublisher
  readonly #leftOut = new RunLeftOut()
  readonly #leaving = new AbortController()
  /** Paths that Carrel is about to write for the agent. */
  readonly #writing = new Map<FilePath, PromiseWithResolvers<void>>()
  /** Carrel has written for the agent since the last snapshot began. */
  #unscanned = false
  readonly #beginning: Promise<void>
  /** The history has the state before the run. */
  #ready = false
  #left = false

  constructor(work: RunWork, start: RunStart, opened: OpenedPlace, how: How) {
    const { key, place } = opened
    this.run = start.id as RunId
    this.opened = opened
    this.toPath = pathsInside(place.path, place.root)
    this.paths = createToolPaths(this.toPath, work.ctx.now)
    this.#work = work
    this.#how = how
    this.#activity = work.ctx.activities.of(opened)
    this.#afterword = how === 'after' ? { afterword: true } : {}
    this.#publisher = createRunPublisher(work, this.run, key, this.#afterword)
    const session = work.recorder.session.id as SessionId
    const { paths } = this
    const onFailure = (thrown: unknown) => work.ctx.log.warn(`The scan of ${key} failed.`, thrown)
    this.times = new RunTimes({ activity: this.#activity, paths, now: work.ctx.now, onFailure })
    const { presence } = this.times
    const { found } = this.#publisher
    this.#activity.join({ run: this.run, session, paths, presence, found, passed: this.#leftOut.take })
    this.#beginning = this.#begin(start)
    this.#beginning.catch(() => undefined)
  }

  /** Resolves when the history has the state before the run, or after a limited wait with a notice. */
  async begun(): Promise<void> {
    const { ctx } = this.#work
    try {
      const late = pause(ctx.config.historyWaitMs, 'late' as const, { ref: false })
      if ((await Promise.race([this.#begunAgain(), late])) !== 'late') return
      this.#notice(
        'The history of this folder is not ready yet; the run begins without it. Earlier states may be missing.',
      )
    } catch (thrown) {
      // A run must not begin where its folder is missing or another one stands (F8).
      if (thrown instanceof CarrelError && thrown.code === 'gone') throw thrown
      ctx.log.warn(`The history of ${this.opened.key} failed.`, thrown)
      this.#notice(`The history of this folder failed, so this run cannot be undone: ${messageOf(thrown)}`)
    }
  }

  /** Call when the agent gets its prompt, or goes on with one: from now on the run may write. */
  async begin(since: number | null = null): Promise<void> {
    if (this.#how !== 'rejoin') return await this.times.begin(since)
    const begin = async () => {
      await this.#activity.takeCut(this.run, this.times.presence)
      await this.times.begin()
    }
    this.#beginning
      .then(begin)
      .catch((thrown) => this.#work.ctx.log.warn(`The files of ${this.run} could not be taken over.`, thrown))
  }

  /** @param update null for an answer to a prompt */
  heard(update: unknown): void {
    const wasRunning = this.paths.isRunning()
    const { ended, late, names } = this.paths.hear(update)
    this.times.heard(late, wasRunning)
    if (names.length > 0) void this.keep(names)
    if (ended && this.#ready) this.#activity.scanSoon('tool')
  }

  /** Call before Carrel writes a path for the agent: the last snapshot waits for its end. */
  writes(path: FilePath): void {
    this.#writing.get(path)?.resolve()
    this.#writing.set(path, Promise.withResolvers())
    this.times.heard(false, this.paths.isRunning())
  }

  /**
   * Names a path that Carrel writes right after this. A scan under way knows nothing of the name, so the write comes
   * after that scan where the name decides whose change it is.
   */
  async names(path: FilePath): Promise<void> {
    const name = () => this.paths.writes(path)
    const isAlone = this.#activity.workers.size === 1 && this.times.presence.now === 'work'
    if (!isAlone) await resolvesWithin(this.#activity.between(name), NAMED_MS)
    name()
  }

  /** Call when such a write is over. `failed`: it was refused, or nothing was written. */
  wrote(path: FilePath, how: 'written' | 'failed'): void {
    this.paths.wrote(path, how)
    if (how === 'written') this.#unscanned = true
    this.#writing.get(path)?.resolve()
    this.#writing.delete(path)
  }

  /** Scans soon: the run has written. */
  changed(): void {
    if (this.#ready) this.#activity.scanSoon('tool')
  }

  /** Keeps the content of paths that will be written, if the first import has not reached them. */
  async keep(named: readonly FilePath[]): Promise<void> {
    if (this.#ready) return
    const { ctx } = this.#work
    try {
      await (await ctx.history()).keepFirst(this.opened.key, named)
    } catch (thrown) {
      ctx.log.warn(`The first content of paths in ${this.opened.key} could not be kept.`, thrown)
    }
  }

  async lastAuthor(path: FilePath): Promise<Change['author'] | null> {
    if (!this.#ready) return null
    await this.#activity.scan({ at: 'hints', reason: 'tool', paths: [path] })
    const history = await this.#work.ctx.history()
    const [newest] = await history.pathHistory(this.opened.key, path, { before: null, limit: 1 })
    return newest?.author ?? null
  }

  /** Takes the last snapshot of the run; its changes are pushed before this resolves. `parked` leaves the place too. */
  async end(how: 'ended' | 'parked'): Promise<void> {
    this.#leaving.abort()
    await this.#last(async () => {
      await this.#written()
      // The end of a run does not wait for a first import.
      if (how === 'parked') await this.#activity.scan({ at: 'imported', reason: 'tool' })
      else await this.#activity.scan({ at: 'imported', reason: 'run_end', mark: this.#mark('end') })
      await this.#publisher.settled()
      for (const lost of this.#leftOut.notices()) this.#notice(lost, 'info')
    })
    if (how === 'parked') await this.close()
  }

  /**
   * Takes what Carrel wrote for the agent since the last snapshot, and leaves the place. Call when the messages of the
   * agent go elsewhere, but for the ends of writes that began before.
   */
  async close(): Promise<void> {
    if (this.#left) return
    await this.#last(async () => {
      while (this.#unscanned || this.#writing.size > 0) {
        await this.#written()
        await this.#activity.scan({ at: 'imported', reason: 'tool' })
      }
      await this.#publisher.settled()
    })
    this.#leave()
  }

  async #last(take: () => Promise<void>): Promise<void> {
    try {
      // `begun` has said why it failed; without a beginning there is nothing to take.
      await this.#beginning.catch(() => undefined)
      if (this.#ready) await take()
    } catch (thrown) {
      this.#work.ctx.log.warn(`The last changes of ${this.run} in ${this.opened.key} could not be read.`, thrown)
      this.#notice(`The last changes of this run are not in the history: ${messageOf(thrown)}`)
    }
  }

  /** Waits for the writes under way. A snapshot that is requested then has them. */
  async #written(): Promise<void> {
    const under = [...this.#writing]
    await resolvesWithin(Promise.all(under.map(([, { promise }]) => promise)), WRITES_MS)
    for (const [path, write] of under) if (this.#writing.get(path) === write) this.#writing.delete(path)
    this.#unscanned = false
  }

  leave(): void {
    this.#leaving.abort()
    this.#leave()
  }

  /** Leaves once: its background work may have joined in its name since. */
  #leave(): void {
    if (!this.#left) this.#activity.leave(this.run)
    this.#left = true
  }

  async #begin({ startedAt }: RunStart): Promise<void> {
    const { ctx } = this.#work
    const { key } = this.opened
    const { state, problem } = await ctx.projectPlaces.follow(this.opened, 'work')
    if (state === 'missing') throw new CarrelError('gone', problem ?? 'The folder of this project is missing.')
    const history = await ctx.history()
    this.times.ready(history.clock)
    if (state === 'importing' && !(await this.#imported()))
      this.#notice('The history of this folder is not complete yet; early changes of this run may be missing there.')
    // Only the history knows the changes of an earlier part of the run.
    if (startedAt !== null) this.#publisher.resume(await history.changesBy(key, { run: this.run }))
    if (this.#how === 'rejoin') await this.#rejoin()
    else if (this.#how === 'after') await this.#scanNow()
    else await this.#scanBefore()
    this.#ready = true
  }

  /** The agent went on without a server, and people may have written too. */
  async #rejoin(): Promise<void> {
    await this.#hearAgain()
    await this.#scanNow()
  }

  async #scanNow(): Promise<void> {
    this.#publisher.from((await this.#activity.scan({ at: 'hints', reason: 'tool' })).n)
  }

  async #scanBefore(): Promise<void> {
    this.times.scanning()
    const before = await this.#activity.scan({ at: 'hints', reason: 'run_start', mark: this.#mark('start') }, this.run)
    this.#publisher.from(before.n)
  }

  /** A run that waited for a browser or for its agent scans again. */
  async #begunAgain(): Promise<void> {
    await this.#beginning
    if (this.#how !== 'rejoin' && this.#how !== 'after' && this.times.mayBeOld) await this.#scanBefore()
  }

  /** Waits for the first import, but leaves time for the snapshot. Most imports end before the agent has started. */
  async #imported(): Promise<boolean> {
    const { ctx } = this.#work
    const patience = awakeSignal(Math.ceil(ctx.config.historyWaitMs * 0.8))
    const history = await ctx.history()
    return await history.ready(this.opened.key, AbortSignal.any([this.#leaving.signal, patience])).then(
      () => true,
      () => false,
    )
  }

  async #hearAgain(): Promise<void> {
    const { ctx, recorder } = this.#work
    const begins = recorder.view.run?.n ?? 0
    for (let after = begins - 1; ; ) {
      const lines = await ctx.store.log.read(recorder.session.id as SessionId, after, PAGE)
      for (const event of lines.map(eventOf)) {
        after = event.seq
        if (event.type === 'agent.update' && event.run === this.run) this.paths.hear(event.data.update)
      }
      if (lines.length < PAGE) return
    }
  }

  #mark(what: 'start' | 'end') {
    return { run: this.run, session: this.#work.recorder.session.id as SessionId, what }
  }

  #notice(text: string, level: 'info' | 'warning' = 'warning'): void {
    const data = { level, text, data: { place: this.opened.key }, ...this.#afterword }
    this.#work.recorder.push({ type: 'notice.given', run: this.run, data })
  }
}
