import { createHmac } from 'node:crypto'
import type { Admission } from '../../host/agent/admission.ts'
import type { AgentConnection, AgentListener, AgentPlace, AgentSession, Rejoined } from '../../host/agent/agent.ts'
import type { Place } from '../../host/places/place.ts'
import type { Sandbox } from '../../host/sandbox/enclose.ts'
import type { AgentRecipe } from '../../model/agent.ts'
import type { HeldLimits } from '../../model/environment.ts'
import type { HomeNote } from '../../model/homes.ts'
import { createRelay, type Relay } from './relay.ts'

/** What makes two processes interchangeable: the same program with the same words, environment, home, namespace, sandbox and limits. */
export interface AgentNeed {
  readonly recipe: AgentRecipe
  /** Absolute path of the program. */
  readonly program: string
  readonly env: Readonly<Record<string, string>>
  /** Processes are never shared between workspaces. */
  readonly workspace: string
  /** Whose conversation it is: `session agent`. */
  readonly context: string
  /** Where its files are in a namespace of their own: the process starts in there. */
  readonly place?: Pick<Place, 'enter' | 'namespace'>
  /** What it is kept in: built for one place, so it serves there only. Null for nothing. */
  readonly sandbox?: Sandbox | null
  /** One of Carrel's; its path is in `env`. Null for the person's. */
  readonly home?: HomeNote | null
  /** What the machine keeps of it: then a process serves one run at a time, whatever its recipe says. Null for nothing. */
  readonly limits?: HeldLimits | null
}

const runsAtOnce = ({ recipe, limits }: AgentNeed): number => (limits ? 1 : recipe.runsPerProcess)

/** A run's seat on an agent process. */
export interface Seat {
  readonly connection: AgentConnection
  readonly fingerprint: string
  /** The conversation, where this process has it open already. */
  readonly live: LiveContext | null
  open(place: AgentPlace, listener: AgentListener, signal: AbortSignal): Promise<LiveContext>
  reopen(acpSession: string, place: AgentPlace, listener: AgentListener, signal: AbortSignal): Promise<LiveContext>
  /** No other run is under way on this process at the moment. */
  alone(): boolean
  /** The conversation is not open in this process any more. */
  drop(): void
  /** The run is over; the process is kept a while for the next prompt. */
  leave(): void
  /** The run goes on without this server: from now on nothing the agent says is heard here. */
  abandon(): void
  /** Ends the process with all that runs in it. */
  kill(): Promise<void>
}

/** A conversation that an agent process has in memory. */
export interface LiveContext {
  readonly session: AgentSession
  /** What agents say goes to whoever is attached; between runs it is kept for the next one. */
  readonly relay: Relay
}

export interface AgentPool {
  checkout(need: AgentNeed, signal: AbortSignal): Promise<Seat>
  /** Whether a conversation is open in some process. */
  holds(context: string): boolean
  /** A seat where its conversation is open; null where there is none that is free. */
  warm(need: AgentNeed): Seat | null
  /** Whether an earlier life of the server left something of this process that nobody has taken up. */
  outlived(keeper: string | null): boolean
  /** Takes up a conversation in a process of an earlier life; null when it is not there any more. */
  rejoin(need: AgentNeed, was: Outlived): Promise<Joined | null>
  /** How many processes of an earlier life nobody has taken up. */
  readonly unclaimed: number
  /** Ends what an earlier life left and nobody has taken up, but for those `wanted`. */
  dropOutlived(wanted: ReadonlySet<string>): Promise<void>
  /** Sessions of a workspace with a conversation in some process. */
  sessions(workspace: string): string[]
  /** Lets go of all conversations of a session, whichever agents they are with. */
  forget(session: string): Promise<void>
  /** Ends all processes with this home, since it goes. */
  letGo(home: string): Promise<void>
  readonly processes: number
  readonly waitingSpawns: number
  close(): Promise<void>
}

/** What a log says of a conversation that a process had. */
export interface Outlived {
  readonly keeper: string
  readonly fingerprint: string
  readonly acpSession: string
  readonly place: AgentPlace
  /** Hears what was said since; `heardBefore` is the last frame that came before this life of the server. */
  readonly listener: (heardBefore: number) => AgentListener
}

export interface Joined {
  readonly seat: Seat
  readonly live: LiveContext
  readonly prompts: Rejoined['prompts']
}

export interface PoolOptions {
  connect(need: AgentNeed, signal: AbortSignal): Promise<AgentConnection>
  /** Null when nothing is left of it. */
  resume(keeper: string, need: AgentNeed): Promise<AgentConnection | null>
  /** Ends a process of an earlier life and forgets what it left. */
  bury(keeper: string): Promise<void>
  /** Keepers of processes that an earlier life left. */
  readonly outlived: readonly string[]
  readonly admission: Admission
  /** A text that stays the same on this data folder and that nobody else knows. */
  readonly salt?: string
  readonly idleMs: number
}

interface Pooled {
  readonly connection: AgentConnection
  readonly fingerprint: string
  readonly workspace: string
  readonly home: string | undefined
  readonly contexts: Map<string, LiveContext>
  readonly runs: Set<object>
  limit: number
  idle: NodeJS.Timeout | null
  dead: boolean
  /** A run in it goes on without this server. */
  abandoned: boolean
}

/**
 * Agent processes by fingerprint. A process serves as many runs at once as its recipe says, and keeps the
 * conversations of earlier runs in memory, so that a second prompt costs no start. Starts are admitted (P4).
 */
export function createAgentPool(options: PoolOptions): AgentPool {
  const processes = new Set<Pooled>()
  const salt = options.salt ?? ''
  const starting = new Map<string, Promise<Pooled>>()
  const outlived = new Set(options.outlived)
  const forgetting = new Set<Promise<void>>()
  const resumed = new Map<string, Promise<Pooled | null>>()

  const drop = (pooled: Pooled) => {
    pooled.dead = true
    if (pooled.idle) clearTimeout(pooled.idle)
    processes.delete(pooled)
    forgetEnded(pooled)
  }
  /** What it said is in the log once no run is on it: then its spool may go. */
  const forgetEnded = (pooled: Pooled) => {
    if (!pooled.dead || pooled.runs.size > 0 || pooled.abandoned) return
    const task = pooled.connection.exited.then(() => pooled.connection.forget())
    forgetting.add(task)
    void task.then(() => forgetting.delete(task))
  }

  const add = (connection: AgentConnection, need: AgentNeed, fingerprint: string): Pooled => {
    const pooled: Pooled = {
      connection,
      fingerprint,
      workspace: need.workspace,
      home: need.env.HOME,
      contexts: new Map(),
      runs: new Set(),
      limit: runsAtOnce(need),
      idle: null,
      dead: false,
      abandoned: false,
    }
    processes.add(pooled)
    void connection.exited.then(() => drop(pooled))
    return pooled
  }

  const start = async (need: AgentNeed, fingerprint: string, signal: AbortSignal): Promise<Pooled> => {
    const release = await options.admission.acquire(signal)
    try {
      return add(await options.connect(need, signal), need, fingerprint)
    } finally {
      release()
    }
  }

  const free = (fingerprint: string, context: string): Pooled | undefined => {
    const fits = [...processes].filter(
      (pooled) =>
        !pooled.dead &&
        pooled.connection.usable &&
        pooled.fingerprint === fingerprint &&
        pooled.runs.size < pooled.limit,
    )
    return fits.find((pooled) => pooled.contexts.has(context)) ?? fits[0]
  }

  const find = async (need: AgentNeed, fingerprint: string, signal: AbortSignal): Promise<Pooled> => {
    for (;;) {
      signal.throwIfAborted()
      const found = free(fingerprint, need.context)
      if (found) return found
      // Many that may share one process and start together wait for one start instead of making one each.
      const already = runsAtOnce(need) > 1 ? starting.get(fingerprint) : undefined
      if (already) {
        await already.catch(() => undefined)
        continue
      }
      const task = start(need, fingerprint, signal)
      if (runsAtOnce(need) > 1) {
        starting.set(fingerprint, task)
        void task.catch(() => undefined).then(() => starting.delete(fingerprint))
      }
      return await task
    }
  }

  const forgetElsewhere = async (context: string, except: Pooled | null) => {
    for (const pooled of processes) {
      const live = pooled === except ? undefined : pooled.contexts.get(context)
      if (!live) continue
      pooled.contexts.delete(context)
      await live.session.close().catch(() => undefined)
    }
  }

  const rest = (pooled: Pooled) => {
    if (pooled.runs.size > 0 || pooled.dead || pooled.abandoned) return
    if (pooled.idle) clearTimeout(pooled.idle)
    pooled.idle = setTimeout(() => {
      drop(pooled)
      void pooled.connection.stop()
    }, options.idleMs)
    pooled.idle.unref()
  }

  const sit = (pooled: Pooled, context: string): Seat => {
    const run = {}
    pooled.runs.add(run)
    if (pooled.idle) clearTimeout(pooled.idle)
    pooled.idle = null
    return seatOn(pooled, run, context, { drop, rest, forgetEnded })
  }

  return {
    holds: (context) => contextsOf(processes).includes(context),
    warm(need) {
      const pooled = free(fingerprintOf(need, salt), need.context)
      return pooled?.contexts.has(need.context) ? sit(pooled, need.context) : null
    },
    async checkout(need, signal) {
      const fingerprint = fingerprintOf(need, salt)
      const pooled = await find(need, fingerprint, signal)
      const seat = sit(pooled, need.context)
      // A conversation must be open in one process only, or two of them would write its memory.
      await forgetElsewhere(need.context, pooled)
      return seat
    },
    outlived: (keeper) => keeper !== null && (outlived.has(keeper) || resumed.has(keeper)),
    async rejoin(need, was) {
      const { keeper } = was
      // Several conversations may have been in one process: the first that comes takes it up for all.
      if (outlived.delete(keeper)) {
        const task = options.resume(keeper, need)
        resumed.set(
          keeper,
          task.then((connection) => connection && add(connection, need, was.fingerprint)),
        )
      }
      const pooled = await resumed.get(keeper)
      const relay = createRelay()
      if (pooled) relay.attach(was.listener(pooled.connection.heardBefore))
      const joined = pooled?.connection.rejoin(was.acpSession, was.place, relay.listener)
      if (!pooled || !joined) return null
      const live = { session: joined.session, relay }
      pooled.contexts.set(need.context, live)
      return { seat: sit(pooled, need.context), live, prompts: joined.prompts }
    },
    get unclaimed() {
      return outlived.size
    },
    async dropOutlived(wanted) {
      const left = [...outlived].filter((keeper) => !wanted.has(keeper))
      for (const keeper of left) outlived.delete(keeper)
      await Promise.all(left.map((keeper) => options.bury(keeper)))
    },
    sessions: (workspace) => {
      const own = [...processes].filter((pooled) => pooled.workspace === workspace)
      return [...new Set(contextsOf(own).map(sessionOf))]
    },
    async forget(session) {
      for (const context of contextsOf(processes))
        if (sessionOf(context) === session) await forgetElsewhere(context, null)
    },
    async letGo(home) {
      const all = [...processes].filter((pooled) => pooled.home === home)
      for (const pooled of all) drop(pooled)
      await Promise.all(all.map(({ connection }) => connection.stop()))
    },
    get processes() {
      return processes.size
    },
    get waitingSpawns() {
      return options.admission.queued
    },
    async close() {
      const all = [...processes]
      for (const pooled of all) drop(pooled)
      await Promise.all(all.map(({ abandoned, connection }) => (abandoned ? connection.leave() : connection.stop())))
      await Promise.all(forgetting)
    },
  }
}

function seatOn(
  pooled: Pooled,
  run: object,
  context: string,
  pool: Record<'drop' | 'rest' | 'forgetEnded', (pooled: Pooled) => void>,
): Seat {
  const keep = async (
    listener: AgentListener,
    make: (relay: AgentListener) => Promise<AgentSession>,
  ): Promise<LiveContext> => {
    const relay = createRelay()
    relay.attach(listener)
    const live = { session: await make(relay.listener), relay }
    pooled.contexts.set(context, live)
    return live
  }
  return {
    connection: pooled.connection,
    fingerprint: pooled.fingerprint,
    live: pooled.contexts.get(context) ?? null,
    open: (place, listener, signal) => keep(listener, (relay) => pooled.connection.open(place, relay, signal)),
    reopen: (acpSession, place, listener, signal) =>
      keep(listener, (relay) => pooled.connection.reopen(acpSession, place, relay, signal)),
    alone: () => pooled.runs.size <= 1,
    drop: () => void pooled.contexts.delete(context),
    leave() {
      pooled.contexts.get(context)?.relay.detach()
      pooled.runs.delete(run)
      pool.rest(pooled)
      pool.forgetEnded(pooled)
    },
    abandon() {
      pooled.abandoned = true
      pooled.contexts.get(context)?.relay.abandon()
      pooled.contexts.delete(context)
    },
    async kill() {
      pooled.runs.delete(run)
      pool.drop(pooled)
      await pooled.connection.kill()
    },
  }
}

const contextsOf = (processes: Iterable<Pooled>) => [...processes].flatMap(({ contexts }) => [...contexts.keys()])
/** A context is named `session agent`. */
const sessionOf = (context: string) => context.slice(0, context.indexOf(' '))

/**
 * Without secrets in it: the environment goes in as a digest, and the salt keeps those who read the log from trying
 * values until one fits.
 */
export function fingerprintOf(need: AgentNeed, salt: string): string {
  const { recipe, program, env, workspace, place, sandbox = null, limits = null } = need
  const namespace = place?.namespace ?? null
  const shows = sandbox?.shows?.map(({ from }) => from) ?? []
  const kept = sandbox && [sandbox.mode, sandbox.place.path, [...sandbox.hosts].sort(), ...shows]
  const words = JSON.stringify([
    recipe.id,
    program,
    recipe.args,
    Object.entries(env).sort(),
    workspace,
    namespace,
    kept,
    ...(limits ? [limits.memoryBytes ?? null, limits.pids ?? null] : []),
  ])
  return `${recipe.id}:${createHmac('sha256', salt).update(words).digest('hex').slice(0, 24)}`
}
