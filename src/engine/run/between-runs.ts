import { setTimeout as pause } from 'node:timers/promises'
import type { AgentListener } from '../../host/agent/agent.ts'
import { type AgentView, EMPTY_AGENT, EMPTY_INDEX, type SessionView } from '../../model/events/view.ts'
import type { FilePath } from '../../model/files/history.ts'
import type { AgentId, RunId } from '../../model/ids.ts'
import { onAbort } from '../../primitives/on-abort.ts'
import type { Afterwords } from '../agents/afterwords.ts'
import type { ClaimedLease } from '../leases.ts'
import { backgroundWork } from './background-work.ts'
import { FilesBetween } from './files/files-between.ts'
import type { RunFiles } from './files/run-files.ts'
import { isOffer, recordingOf } from './run-listener.ts'
import type { RunWork } from './run-work.ts'
import { RunQuestions } from './turn/asking.ts'
import { guardFiles } from './turn/read-guard.ts'
import { createTimers } from './turn/turn-timers.ts'

const MAX_TIMER_MS = 2_147_483_647
/** How often background work is looked at, and the shortest time between two looks. ms. */
const LOOK_MS = 2_000
const LOOK_AGAIN_MS = 250
/** Background work without a message for this long may be ended like an idle agent. ms. */
const SILENT_MS = 3_600_000

/**
 * Records the afterwords of a session's agents while the session is held, and puts their questions to people (L11). An
 * afterword stays in its queue until it is in the log, so a holder that fails loses nothing.
 */
export class BetweenRuns {
  readonly #work: RunWork
  readonly #lease: ClaimedLease
  readonly #queues = new Set<Afterwords>()
  readonly #asking = new Map<string, RunQuestions>()
  readonly #stops: (() => void)[]
  #changed = Promise.withResolvers<void>()
  #confirming: Promise<void> | null = null
  readonly #files: FilesBetween
  #runs = false
  #looking: NodeJS.Timeout | null = null
  #lookedAt = Number.NEGATIVE_INFINITY
  /** When an agent was last heard; `since` stands for the time before this holder. */
  readonly #heardAt = new Map<Afterwords, number>()
  readonly #since: number

  constructor(work: RunWork, lease: ClaimedLease) {
    const { ctx, recorder } = work
    this.#work = work
    this.#lease = lease
    this.#since = ctx.now()
    this.#files = new FilesBetween(work)
    this.#stops = [
      ctx.pool.afterwords.onKept((queue) => queue.from.session === recorder.session.id && this.#attach(queue)),
      recorder.onView((view) => {
        for (const asking of this.#asking.values()) void this.#react(asking, view)
        if (this.#runs && view.run === null) this.#files.begin()
        this.#runs = view.run !== null
        this.#wake()
      }),
    ]
    for (const queue of ctx.pool.afterwords.of(recorder.session.id)) if (queue.length > 0) this.#attach(queue)
  }

  /** Whether an agent is at work, waits for an answer, or sent something that is not in the log. */
  get busy(): boolean {
    const open = this.#work.ctx.pool.openIn(this.#work.recorder.session.id).map(({ queue }) => queue)
    const atWork = [...this.#queues, ...open].some(({ length, background }) => length + background.length > 0)
    return atWork || this.#files.size > 0 || this.#unread
  }

  /** Whether background work of an earlier server may have left messages that are not read yet. */
  get #unread(): boolean {
    const { ctx, recorder } = this.#work
    const { agents } = recorder.view
    return Object.values(agents).some(({ background, keeper }) => background.length > 0 && ctx.pool.isUnread(keeper))
  }

  /** Records which work goes on after the last runs, and which has ended since. */
  async look(): Promise<void> {
    const { ctx, recorder } = this.#work
    if (ctx.now() - this.#lookedAt < LOOK_AGAIN_MS) return this.#lookSoon(LOOK_AGAIN_MS)
    this.#lookedAt = ctx.now()
    this.#files.begin()
    const open = ctx.pool.openIn(recorder.session.id)
    for (const conversation of open) {
      const { queue } = conversation
      const { agent } = queue.from
      const view = recorder.view.agents[agent] ?? EMPTY_AGENT
      if (view.keeper !== queue.from.connection.keeper) continue
      const silent = ctx.now() - Math.max(this.#heardAt.get(queue) ?? this.#since, this.#since) > SILENT_MS
      const work = silent ? [] : await backgroundWork(conversation, view, recorder.item, ctx.now)
      queue.background = work
      await this.#files.goesOn(this.#runOf(queue), work.length > 0)
      if (sameList(work, view.background)) continue
      const why = silent ? 'Nothing was heard for an hour, so its process may be ended.' : null
      await this.#record(queue.from.agent, work, why)
    }
    const live = new Set<string | null>(open.map(({ queue }) => queue.from.connection.keeper))
    const isGone = ({ keeper }: AgentView) => !live.has(keeper) && !ctx.pool.isUnread(keeper)
    await this.#cutWhere(isGone, 'The process of the agent has ended.')
    await this.#files.rest()
    if (this.busy) this.#lookSoon(LOOK_MS)
  }

  /** Another run begins: changes of files are its own from now on. */
  async runBegins(): Promise<void> {
    await this.#files.end()
  }

  /** Records that all work between runs was ended, and why. */
  async cut(why: string): Promise<void> {
    for (const { queue } of this.#work.ctx.pool.openIn(this.#work.recorder.session.id)) queue.background = []
    await this.#cutWhere(() => true, why)
  }

  async #cutWhere(isCut: (agent: AgentView) => boolean, why: string): Promise<void> {
    const { agents, run } = this.#work.recorder.view
    for (const [agent, view] of Object.entries(agents))
      if (view.background.length > 0 && run?.agent !== agent && isCut(view))
        await this.#record(agent as AgentId, [], why)
  }

  /** @param why null where the work ended by itself */
  async #record(agent: AgentId, work: readonly string[], why: string | null): Promise<void> {
    const { recorder } = this.#work
    const { ended, background } = recorder.view.agents[agent] ?? EMPTY_AGENT
    if (!ended) return
    const cut = why && `${why} Cut off in the background: ${background.join(', ')}.`
    await recorder.record({
      type: 'background.changed',
      run: ended.run,
      data: { run: ended.run, agent, work: [...work], cut },
    })
  }

  #lookSoon(afterMs: number): void {
    this.#looking ??= setTimeout(() => {
      this.#looking = null
      this.#wake()
    }, afterMs)
  }

  /** The open questions whose agents wait for the answer in processes of this node. */
  get served(): ReadonlySet<string> {
    return new Set([...this.#asking.values()].flatMap((asking) => asking.waiting))
  }

  /** Resolves when everything that was delivered so far is in the log. @throws lease_lost, unavailable */
  async recorded(): Promise<void> {
    await this.#confirm(0)
  }

  /** Resolves when the view or an agent has changed, after `withinMs` (null: any time), or when `signal` fires. */
  async change(withinMs: number | null, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const wake = () => this.#wake()
    const timer = withinMs === null ? undefined : setTimeout(wake, Math.min(MAX_TIMER_MS, Math.max(0, withinMs)))
    const stop = onAbort(signal, wake)
    await this.#changed.promise
    clearTimeout(timer)
    stop()
  }

  /** Leaves everything unrecorded to the next holder. */
  close(): void {
    for (const stop of this.#stops) stop()
    clearTimeout(this.#looking ?? undefined)
    this.#files.leave()
    for (const asking of this.#asking.values()) asking.leave()
    for (const queue of this.#queues) queue.detach()
  }

  #attach(queue: Afterwords): void {
    if (queue.listener) return
    this.#queues.add(queue)
    queue.attach(this.#listenerOf(queue))
  }

  #listenerOf(queue: Afterwords): AgentListener {
    const { recorder } = this.#work
    const { agent, connection } = queue.from
    const view = () => recorder.view.agents[agent]
    const framed = () => view()?.keeper === connection.keeper
    const isNew = (frame: number) => frame === 0 || !framed() || frame > (view()?.frame ?? 0)
    const recording = recordingOf(this.#work, {
      agent,
      run: () => this.#runOf(queue),
      afterword: true,
      framed,
      records: isNew,
      index: () => view()?.ended?.index ?? EMPTY_INDEX,
      ask: async (question, signal) => {
        // A question is asked under the lease. An earlier holder may have asked it already.
        await this.#lease.take()
        return await this.#askingOf(queue).ask(question, signal, true)
      },
    })
    const { heard, ...files } = this.#filesOf(queue)
    return {
      ...recording,
      ...files,
      update: (update, frame) => {
        // A spool repeats messages that are in the log: they are no sign of work now.
        const isSign = isNew(frame) && !isOffer(update)
        recording.update(update, frame)
        this.#heardAt.set(queue, this.#work.ctx.now())
        this.#soon()
        if (isSign) heard(update)
      },
      notice: (text, data) => {
        recording.notice(text, data)
        this.#soon()
      },
    }
  }

  /** Joins the files of the run for each sign of its agent, and for the writes of Carrel that the agent asks for. */
  #filesOf(queue: Afterwords): Pick<AgentListener, 'read' | 'mayWrite' | 'wrote'> & { heard(update: unknown): void } {
    const use = async <T>(work: (opened: RunFiles) => T | Promise<T>, writes = false): Promise<T | null> => {
      this.#soon()
      const opened = await this.#files.touch(this.#runOf(queue), { writes })
      this.#wake()
      return opened && (await work(opened))
    }
    const known = new Map<FilePath, string | null>()
    const writing = new Map<string, RunFiles>()
    const guard = (opened: RunFiles) => guardFiles(opened, known)
    return {
      heard: (update) => void use((opened) => opened.heard(update)),
      read: (path, digest) => void use((opened) => guard(opened).read(path, digest)),
      mayWrite: async (path, digest) => {
        const ask = async (opened: RunFiles) => {
          const refused = await guard(opened).mayWrite(path, digest)
          if (refused === null) writing.set(path, opened)
          return refused
        }
        return await use(ask, true)
      },
      wrote: (path, digest) => {
        const opened = writing.get(path)
        writing.delete(path)
        const note = (to: RunFiles) => {
          guard(to).wrote(path, digest)
          to.changed()
        }
        // An earlier holder may have allowed it.
        const noted = opened ? note(opened) : use(note, true)
        void Promise.resolve(noted).then(() => this.#files.wrote(this.#runOf(queue)))
      },
    }
  }

  #runOf({ run, from }: Afterwords): RunId {
    const { agents, lastRun } = this.#work.recorder.view
    const found = run ?? agents[from.agent]?.ended?.run ?? lastRun?.id
    if (!found) throw new Error(`No run of ${from.agent} has ended in ${from.session}.`)
    return found
  }

  #askingOf(queue: Afterwords): RunQuestions {
    const { agent, place } = queue.from
    const id = this.#runOf(queue)
    const known = this.#asking.get(id)
    if (known) return known
    const asking = new RunQuestions(this.#work, { id, agent, place: { path: place.cwd }, given: [] }, true)
    this.#asking.set(id, asking)
    const expire = () => void this.#react(asking, this.#work.recorder.view)
    const timers = createTimers({ work: this.#work, asking }, { park: () => undefined, expire })
    this.#stops.push(timers.clear)
    asking.onChange(() => {
      timers.reset()
      this.#wake()
    })
    return asking
  }

  /** Passes answers to the agent. One that may not take effect any more is given up, and a notice says so. */
  async #react(asking: RunQuestions, view: SessionView): Promise<void> {
    try {
      await asking.react(view)
    } catch (thrown) {
      // Without the lease the next holder asks again.
      if (this.#lease.lost.aborted) return
      const { ctx, recorder } = this.#work
      ctx.log.warn(`An answer in ${recorder.session.id} did not reach its agent.`, thrown)
      asking.giveUp()
    }
  }

  #soon(): void {
    // A write that fails takes the lease away: what is in the queues is left to the next holder.
    void this.#confirm(this.#work.ctx.config.flushMs).catch(() => undefined)
  }

  /** Drops the delivered afterwords from their queues once they are in the log. */
  #confirm(afterMs: number): Promise<void> {
    this.#confirming ??= this.#confirmOnce(afterMs).finally(() => {
      this.#confirming = null
      this.#wake()
    })
    return this.#confirming
  }

  async #confirmOnce(afterMs: number): Promise<void> {
    const { recorder } = this.#work
    do {
      if (afterMs > 0) await pause(afterMs)
      const marks = [...this.#queues].map((queue) => ({ queue, drop: queue.mark() }))
      await recorder.record()
      for (const { queue, drop } of marks) {
        drop()
        const { keeper, frame } = recorder.view.agents[queue.from.agent] ?? {}
        if (keeper === queue.from.connection.keeper) queue.session?.recorded(frame ?? 0)
      }
    } while ([...this.#queues].some(({ delivered }) => delivered > 0))
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

const sameList = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((each, index) => each === other[index])
