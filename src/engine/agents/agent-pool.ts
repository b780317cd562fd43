import type { Admission } from '../../host/agent/admission.ts'
import type { AgentConnection, AgentListener, AgentPlace, HeldFrame, Rejoined } from '../../host/agent/agent.ts'
import type { AgentId, RunId, SessionId, WorkspaceId } from '../../model/ids.ts'
import { createTimer } from '../../primitives/timers.ts'
import { AfterwordQueues } from './afterword-queues.ts'
import type { AfterwordSource, Afterwords } from './afterwords.ts'
import {
  type AgentNeed,
  type AgentSlot,
  createSlot,
  fingerprintOf,
  type LiveContext,
  type PooledProcess,
  runsAtOnce,
} from './agent-slot.ts'
import { createRelay, type Relay } from './relay.ts'

export interface AgentPoolOptions {
  connect(need: AgentNeed, signal: AbortSignal): Promise<AgentConnection>
  /** Reconnects to a process of an earlier server; null when nothing is left of it. */
  resume(keeper: string, need: AgentNeed): Promise<AgentConnection | null>
  /** Ends a process of an earlier server. Returns the messages in its spool, by conversation. */
  end(keeper: string): Promise<ReadonlyMap<string, readonly HeldFrame[]>>
  /** Removes the files of an ended process. */
  remove(keeper: string): Promise<void>
  /** Keepers of processes that an earlier server left, or whose spool it left. */
  readonly surviving: readonly string[]
  /** Whether runs may rejoin these processes. */
  readonly rejoins: boolean
  readonly admission: Admission
  /** A secret that stays the same on this data folder. */
  readonly salt?: string
  readonly idleMs: number
}

/** A conversation with a process of an earlier server, as the log names it. */
export interface EarlierConversation {
  readonly keeper: string
  readonly fingerprint: string
  readonly acpSession: string
  readonly place: AgentPlace
  /** Returns the listener for the updates since; `heardBefore` is the last frame that came before this server started. */
  readonly listener: (heardBefore: number) => AgentListener
  /** The run that goes on. */
  readonly run: RunId
  /** `prompt`: messages before its prompt are afterwords of the run before. `now`: the run opened the conversation. */
  readonly from: 'now' | 'prompt'
}

/** Finds the conversations of this node's sessions with a process, by the ids that its agent gave them. */
export type FindConversations = (
  keeper: string,
  acpSessions: readonly string[],
) => Promise<readonly (Pick<AfterwordSource, 'workspace' | 'session' | 'agent'> & { readonly acpSession: string })[]>

export interface RejoinedSlot {
  readonly slot: AgentSlot
  readonly live: LiveContext
  readonly prompts: Rejoined['prompts']
}

/**
 * Agent processes by fingerprint. A process serves as many runs at once as its recipe says, and keeps the conversations
 * of earlier runs in memory, so that a second prompt costs no start. Starts are admitted (P4).
 */
export class AgentPool {
  readonly #options: AgentPoolOptions
  readonly #salt: string
  readonly #processes = new Set<PooledProcess>()
  /** Starts under way whose process may be shared, by fingerprint. */
  readonly #starting = new Map<string, Promise<PooledProcess>>()
  /** Keepers of processes of an earlier server that no run has rejoined. */
  readonly #surviving: Set<string>
  /** Keepers that are being ended, until their messages are kept. */
  readonly #ending = new Set<string>()
  readonly #resumed = new Map<string, Promise<PooledProcess | null>>()
  readonly #forgetting = new Set<Promise<void>>()
  readonly afterwords = new AfterwordQueues()

  constructor(options: AgentPoolOptions) {
    this.#options = options
    this.#salt = options.salt ?? ''
    this.#surviving = new Set(options.surviving)
  }

  get processes(): number {
    return this.#processes.size
  }

  get waitingSpawns(): number {
    return this.#options.admission.queued
  }

  get unclaimed(): number {
    return this.#surviving.size
  }

  /** Takes a slot in a process that fits, and starts one where none is free. */
  async checkout(need: AgentNeed, signal: AbortSignal): Promise<AgentSlot> {
    const process = await this.#find(need, signal)
    const slot = this.#slotIn(process, need.context)
    // A conversation is open in one process only: two would overwrite each other's memory of it.
    await this.#closeContext(need.context, process)
    return slot
  }

  holds(context: string): boolean {
    return contextsOf(this.#processes).includes(context)
  }

  /** Takes a free slot in the process that has the conversation open; null where there is none. */
  warm(need: AgentNeed): AgentSlot | null {
    const process = this.#free(fingerprintOf(need, this.#salt), need.context)
    return process?.contexts.has(need.context) ? this.#slotIn(process, need.context) : null
  }

  /** Whether `keeper` names a process of an earlier server that can be rejoined. */
  survived(keeper: string | null): boolean {
    return keeper !== null && this.#options.rejoins && (this.#surviving.has(keeper) || this.#resumed.has(keeper))
  }

  /** Rejoins a conversation in a process of an earlier server; null when it is no longer there. */
  async rejoin(need: AgentNeed, earlier: EarlierConversation): Promise<RejoinedSlot | null> {
    const { keeper, fingerprint } = earlier
    // A process may have several conversations: the first that rejoins resumes it for all.
    if (this.#surviving.delete(keeper)) {
      const resumed = this.#options.resume(keeper, need)
      this.#resumed.set(
        keeper,
        resumed.then((connection) => connection && this.#add(connection, need, fingerprint)),
      )
    }
    const process = await this.#resumed.get(keeper)
    if (!process) return null
    const relay = this.#relay(process, need.context, earlier.place)
    relay.attach(earlier.listener(process.connection.heardBefore), earlier.run, earlier.from)
    const joined = process.connection.rejoin(earlier.acpSession, earlier.place, relay.listener)
    if (!joined) return null
    relay.afterwords.session = joined.session
    const live = { session: joined.session, relay }
    process.contexts.set(need.context, live)
    return { slot: this.#slotIn(process, need.context), live, prompts: joined.prompts }
  }

  /**
   * Ends the processes of an earlier server that no run has rejoined, but for those `wanted`. Their messages become
   * afterwords of the conversations that `find` returns; their files stay until all of these are in the log.
   */
  async endSurviving(wanted: ReadonlySet<string>, find: FindConversations): Promise<void> {
    const left = [...this.#surviving].filter((keeper) => !wanted.has(keeper))
    for (const keeper of left) this.#surviving.delete(keeper)
    const ending = left.map((keeper) => {
      this.#ending.add(keeper)
      return this.#endSurviving(keeper, find).finally(() => this.#ending.delete(keeper))
    })
    await Promise.all(ending)
  }

  /** Whether the spool of a process of an earlier server may hold messages that no log has. */
  isUnread(keeper: string | null): boolean {
    if (keeper === null) return false
    return this.#surviving.has(keeper) || this.#ending.has(keeper) || this.afterwords.hasFrom(keeper)
  }

  async #endSurviving(keeper: string, find: FindConversations): Promise<void> {
    const left = await this.#options.end(keeper)
    const found = await find(keeper, [...left.keys()])
    const origin = { ended: true, forget: () => this.#options.remove(keeper) }
    for (const { acpSession, ...of } of found) {
      const place = { cwd: '', roots: [], mcpServers: [] }
      const queue = this.afterwords.add({ ...of, place, connection: { keeper, kill: async () => undefined } }, origin)
      for (const frame of left.get(acpSession) ?? []) queue.keepLeft(frame)
    }
    this.afterwords.sweep(origin)
  }

  /** Lists the sessions of a workspace that have a conversation in some process. */
  sessions(workspace: string): string[] {
    const own = [...this.#processes].filter((process) => process.workspace === workspace)
    return [...new Set(contextsOf(own).map(sessionOf))]
  }

  /** Closes all conversations of a session, whichever agents they are with. Ends processes that serve no other. */
  async forget(session: string): Promise<void> {
    const own = [...this.#processes].filter(({ contexts }) => [...contexts.keys()].map(sessionOf).includes(session))
    const isUnused = ({ contexts, runs }: PooledProcess) =>
      runs.size === 0 && [...contexts.keys()].every((id) => sessionOf(id) === session)
    await Promise.all(own.filter(isUnused).map((process) => this.#end(process)))
    for (const context of contextsOf(this.#processes))
      if (sessionOf(context) === session) await this.#closeContext(context, null)
  }

  /** The conversations of a session that are open in live processes; `alone`: its process never had two runs at once. */
  openIn(session: string): { queue: Afterwords; connection: AgentConnection; alone: boolean }[] {
    return [...this.#processes].flatMap(({ contexts, connection, overlapped }) =>
      [...contexts].flatMap(([id, live]) =>
        sessionOf(id) === session ? [{ queue: queueOf(live), connection, alone: !overlapped }] : [],
      ),
    )
  }

  /** The afterwords that no log has. */
  unrecorded(): Afterwords[] {
    return this.afterwords.unrecorded(
      new Set([...this.#processes].flatMap(({ contexts }) => [...contexts.values()].map(queueOf))),
    )
  }

  /** Parts of the work that agents of a session go on with between runs. */
  background(session: string): string[] {
    return this.openIn(session).flatMap(({ queue }) => [...queue.background])
  }

  async endHome(home: string): Promise<void> {
    const all = [...this.#processes].filter((process) => process.home === home)
    await Promise.all(all.map((process) => this.#end(process)))
  }

  async close(): Promise<void> {
    const all = [...this.#processes]
    for (const process of all) this.#drop(process)
    await Promise.all(all.map(({ abandoned, connection }) => (abandoned ? connection.leave() : connection.stop())))
    await Promise.all(this.#forgetting)
    await this.afterwords.idle()
  }

  async #find(need: AgentNeed, signal: AbortSignal): Promise<PooledProcess> {
    const fingerprint = fingerprintOf(need, this.#salt)
    for (;;) {
      signal.throwIfAborted()
      const found = this.#free(fingerprint, need.context)
      if (found) return found
      if (runsAtOnce(need) === 1) return await this.#start(need, fingerprint, signal)
      // Runs that may share a process and start together wait for one start instead of making one each.
      const already = this.#starting.get(fingerprint)
      if (!already) return await this.#startShared(need, fingerprint, signal)
      await already.catch(() => undefined)
    }
  }

  async #startShared(need: AgentNeed, fingerprint: string, signal: AbortSignal): Promise<PooledProcess> {
    const task = this.#start(need, fingerprint, signal)
    this.#starting.set(fingerprint, task)
    void task.catch(() => undefined).then(() => this.#starting.delete(fingerprint))
    return await task
  }

  async #start(need: AgentNeed, fingerprint: string, signal: AbortSignal): Promise<PooledProcess> {
    const release = await this.#options.admission.acquire(signal)
    try {
      return this.#add(await this.#options.connect(need, signal), need, fingerprint)
    } finally {
      release()
    }
  }

  /** Returns a process with a free slot, preferably the one that has the conversation open. */
  #free(fingerprint: string, context: string): PooledProcess | undefined {
    const free = [...this.#processes].filter(
      ({ dead, connection, fingerprint: own, runs, limit }) =>
        !dead && connection.usable && own === fingerprint && runs.size < limit,
    )
    return free.find(({ contexts }) => contexts.has(context)) ?? free[0]
  }

  #add(connection: AgentConnection, need: AgentNeed, fingerprint: string): PooledProcess {
    const process: PooledProcess = {
      connection,
      fingerprint,
      workspace: need.workspace,
      home: need.env.HOME,
      contexts: new Map(),
      runs: new Set(),
      limit: runsAtOnce(need),
      idle: createTimer({ ref: false }),
      dead: false,
      ended: false,
      abandoned: false,
      overlapped: false,
      heard: () => this.#endWhenIdle(process),
      async forget() {
        if (process.runs.size === 0 && !process.abandoned) await connection.forget()
      },
    }
    this.#processes.add(process)
    void connection.exited.then(() => {
      process.ended = true
      this.#drop(process)
    })
    return process
  }

  #relay(process: PooledProcess, context: string, place: AgentPlace): Relay {
    const [session, agent] = [sessionOf(context) as SessionId, context.slice(context.indexOf(' ') + 1) as AgentId]
    const { workspace, connection } = process
    const from = { workspace: workspace as WorkspaceId, session, agent, place, connection }
    return createRelay(this.afterwords.add(from, process))
  }

  #slotIn(process: PooledProcess, context: string): AgentSlot {
    return createSlot(process, context, {
      relay: (...args) => this.#relay(...args),
      drop: (dropped) => this.#drop(dropped),
      left: (left) => {
        this.#endWhenIdle(left)
        this.#forgetEnded(left)
      },
    })
  }

  /** Ends a process. Its last messages still arrive. */
  async #end(process: PooledProcess): Promise<void> {
    this.#drop(process)
    await process.connection.stop()
  }

  #drop(process: PooledProcess): void {
    process.dead = true
    process.idle.stop()
    this.#processes.delete(process)
    this.#forgetEnded(process)
  }

  #forgetEnded(process: PooledProcess): void {
    const { dead, runs, abandoned, connection } = process
    if (!dead || runs.size > 0 || abandoned) return
    this.#track(connection.exited.then(() => this.afterwords.sweep(process)))
  }

  #track(task: Promise<void>): void {
    this.#forgetting.add(task)
    void task.then(() => this.#forgetting.delete(task))
  }

  #endWhenIdle(process: PooledProcess): void {
    if (process.runs.size > 0 || process.dead || process.abandoned) return
    process.idle.restart(this.#options.idleMs, () => {
      const atWork = [...process.contexts.values()]
        .map(queueOf)
        .some((queue) => queue.length + queue.background.length > 0)
      if (atWork) this.#endWhenIdle(process)
      else void this.#end(process)
    })
  }

  async #closeContext(context: string, except: PooledProcess | null): Promise<void> {
    for (const process of this.#processes) {
      const live = process === except ? undefined : process.contexts.get(context)
      if (!live) continue
      process.contexts.delete(context)
      await live.session.close().catch(() => undefined)
    }
  }
}

const queueOf = ({ relay }: LiveContext): Afterwords => relay.afterwords

const contextsOf = (processes: Iterable<PooledProcess>) =>
  [...processes].flatMap(({ contexts }) => [...contexts.keys()])

const sessionOf = (context: string) => context.slice(0, context.indexOf(' '))
