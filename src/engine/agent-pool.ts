import { createHash } from 'node:crypto'
import type { Admission } from '../host/admission.ts'
import type { AgentConnection, AgentListener, AgentPlace, AgentSession } from '../host/agent.ts'
import type { AgentRecipe } from '../model/agent.ts'
import { createRelay, type Relay } from './relay.ts'

/** What makes two processes interchangeable: the same program with the same words, environment and home. */
export interface AgentNeed {
  readonly recipe: AgentRecipe
  /** Absolute path of the program. */
  readonly program: string
  readonly env: Readonly<Record<string, string>>
  /** Processes are never shared between workspaces. */
  readonly workspace: string
  /** Whose conversation it is: `session agent`. */
  readonly context: string
}

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
  /** Sessions of a workspace with a conversation in some process. */
  sessions(workspace: string): string[]
  /** Lets go of all conversations of a session, whichever agents they are with. */
  forget(session: string): Promise<void>
  readonly processes: number
  readonly waitingSpawns: number
  close(): Promise<void>
}

export interface PoolOptions {
  connect(need: AgentNeed, signal: AbortSignal): Promise<AgentConnection>
  readonly admission: Admission
  readonly idleMs: number
}

interface Pooled {
  readonly connection: AgentConnection
  readonly fingerprint: string
  readonly workspace: string
  readonly contexts: Map<string, LiveContext>
  readonly runs: Set<object>
  limit: number
  idle: NodeJS.Timeout | null
  dead: boolean
}

/**
 * Agent processes by fingerprint. A process serves as many runs at once as its recipe says, and keeps the
 * conversations of earlier runs in memory, so that a second prompt costs no start. Starts are admitted (P4).
 */
export function createAgentPool(options: PoolOptions): AgentPool {
  const processes = new Set<Pooled>()
  const starting = new Map<string, Promise<Pooled>>()

  const drop = (pooled: Pooled) => {
    pooled.dead = true
    if (pooled.idle) clearTimeout(pooled.idle)
    processes.delete(pooled)
  }

  const start = async (need: AgentNeed, fingerprint: string, signal: AbortSignal): Promise<Pooled> => {
    const release = await options.admission.acquire(signal)
    try {
      const connection = await options.connect(need, signal)
      const pooled: Pooled = {
        connection,
        fingerprint,
        workspace: need.workspace,
        contexts: new Map(),
        runs: new Set(),
        limit: need.recipe.runsPerProcess,
        idle: null,
        dead: false,
      }
      processes.add(pooled)
      void connection.exited.then(() => drop(pooled))
      return pooled
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
      const already = need.recipe.runsPerProcess > 1 ? starting.get(fingerprint) : undefined
      if (already) {
        await already.catch(() => undefined)
        continue
      }
      const task = start(need, fingerprint, signal)
      if (need.recipe.runsPerProcess > 1) {
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
    if (pooled.runs.size > 0 || pooled.dead) return
    if (pooled.idle) clearTimeout(pooled.idle)
    pooled.idle = setTimeout(() => {
      drop(pooled)
      void pooled.connection.stop()
    }, options.idleMs)
    pooled.idle.unref()
  }

  return {
    async checkout(need, signal) {
      const fingerprint = fingerprintOf(need)
      const pooled = await find(need, fingerprint, signal)
      const run = {}
      pooled.runs.add(run)
      if (pooled.idle) clearTimeout(pooled.idle)
      pooled.idle = null
      // A conversation must be open in one process only, or two of them would write its memory.
      await forgetElsewhere(need.context, pooled)
      return seatOn(pooled, run, need.context, { drop, rest })
    },
    sessions: (workspace) => {
      const own = [...processes].filter((pooled) => pooled.workspace === workspace)
      return [...new Set(contextsOf(own).map(sessionOf))]
    },
    async forget(session) {
      for (const context of contextsOf(processes))
        if (sessionOf(context) === session) await forgetElsewhere(context, null)
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
      await Promise.all(all.map((pooled) => pooled.connection.stop()))
    },
  }
}

function seatOn(
  pooled: Pooled,
  run: object,
  context: string,
  pool: { drop(pooled: Pooled): void; rest(pooled: Pooled): void },
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

/** Without secrets in it: the environment goes in as a digest. */
export function fingerprintOf(need: AgentNeed): string {
  const { recipe, program, env, workspace } = need
  const words = JSON.stringify([recipe.id, program, recipe.args, Object.entries(env).sort(), workspace])
  return `${recipe.id}:${createHash('sha256').update(words).digest('hex').slice(0, 24)}`
}
