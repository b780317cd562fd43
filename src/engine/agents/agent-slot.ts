import { createHmac } from 'node:crypto'
import type { AgentConnection, AgentListener, AgentPlace, AgentSession } from '../../host/agent/agent.ts'
import type { Place } from '../../host/places/place.ts'
import type { SandboxSpec } from '../../host/sandbox/enclose.ts'
import type { AgentRecipe } from '../../model/agent.ts'
import type { RunId } from '../../model/ids.ts'
import type { HeldLimits } from '../../model/settings/environment.ts'
import type { HomeNote } from '../../model/settings/homes.ts'
import type { Timer } from '../../primitives/timers.ts'
import type { Relay } from './relay.ts'

/** The agent process that a run needs. Runs whose needs have the same fingerprint may share a process. */
export interface AgentNeed {
  readonly recipe: AgentRecipe
  /** Absolute path of the program. */
  readonly program: string
  readonly env: Readonly<Record<string, string>>
  /** Processes are never shared between workspaces. */
  readonly workspace: string
  /** Names the conversation: `session agent`. */
  readonly context: string
  /** The mount namespace of its files, in which the process starts. */
  readonly place?: Pick<Place, 'enter' | 'namespace'>
  /** Built for one place, so that the process serves that place only. Null for none. */
  readonly sandbox?: SandboxSpec | null
  /** A home that Carrel keeps; `env` has its path. Null for the person's home. */
  readonly home?: HomeNote | null
  /** Limits enforced by the machine. A process with limits serves one run at a time, whatever its recipe says. Null for none. */
  readonly limits?: HeldLimits | null
}

export const runsAtOnce = ({ recipe, limits }: AgentNeed): number => (limits ? 1 : recipe.runsPerProcess)

/** A conversation that an agent process has in memory. */
export interface LiveContext {
  readonly session: AgentSession
  /** Passes messages to the run that is attached, and keeps them as afterwords between runs. */
  readonly relay: Relay
}

/** A run, and its listener for the messages of its agent. */
export interface RunListener {
  readonly run: RunId
  readonly listener: AgentListener
}

export interface AgentSlot {
  readonly connection: AgentConnection
  readonly fingerprint: string
  /** The conversation, where this process has it open already. */
  readonly live: LiveContext | null
  open(place: AgentPlace, run: RunListener, signal: AbortSignal): Promise<LiveContext>
  reopen(acpSession: string, place: AgentPlace, run: RunListener, signal: AbortSignal): Promise<LiveContext>
  /** Whether no other run is under way in this process at the moment, here or left to the next server. */
  alone(): boolean
  drop(): void
  /** The run ends: everything that the agent sends from now on is an afterword. Safe to repeat. */
  endTurn(): void
  /** Ends the use of the slot. The process stays for a while, for the next prompt. */
  leave(): void
  /** Lets the run go on without this server: it receives nothing from the agent from now on. */
  abandon(): void
  kill(): Promise<void>
}

export interface PooledProcess {
  readonly connection: AgentConnection
  readonly fingerprint: string
  readonly workspace: string
  readonly home: string | undefined
  readonly contexts: Map<string, LiveContext>
  readonly runs: Set<object>
  readonly limit: number
  readonly idle: Timer
  dead: boolean
  /** Whether its tree has ended, and all its messages are delivered. */
  ended: boolean
  /** Whether a run in it goes on without this server. */
  abandoned: boolean
  /** Whether it ever had two runs at once: then the run that began one of its processes is unknown. */
  overlapped: boolean
  /** Restarts its idle time, after a message between runs. */
  heard(): void
  /** Removes the spool, unless a run needs it. */
  forget(): Promise<void>
}

export interface SlotOwner {
  relay(process: PooledProcess, context: string, place: AgentPlace): Relay
  drop(process: PooledProcess): void
  left(process: PooledProcess): void
}

export function createSlot(process: PooledProcess, context: string, owner: SlotOwner): AgentSlot {
  const use = {}
  process.runs.add(use)
  if (process.runs.size > 1) process.overlapped = true
  process.idle.stop()
  const { connection, contexts, fingerprint } = process
  const keep = async (
    place: AgentPlace,
    { run, listener }: RunListener,
    open: (relay: AgentListener) => Promise<AgentSession>,
  ): Promise<LiveContext> => {
    const relay = owner.relay(process, context, place)
    relay.attach(listener, run, 'now')
    const session = await open(relay.listener)
    relay.afterwords.session = session
    const live = { session, relay }
    contexts.set(context, live)
    return live
  }
  return {
    connection,
    fingerprint,
    get live() {
      return contexts.get(context) ?? null
    },
    open: (place, run, signal) => keep(place, run, (relay) => connection.open(place, relay, signal)),
    reopen: (acpSession, place, run, signal) =>
      keep(place, run, (relay) => connection.reopen(acpSession, place, relay, signal)),
    alone: () => process.runs.size <= 1 && !process.abandoned,
    drop: () => void contexts.delete(context),
    endTurn: () => contexts.get(context)?.relay.detach(),
    leave() {
      contexts.get(context)?.relay.detach()
      process.runs.delete(use)
      owner.left(process)
    },
    abandon() {
      process.abandoned = true
      contexts.get(context)?.relay.abandon()
      contexts.delete(context)
    },
    async kill() {
      process.runs.delete(use)
      owner.drop(process)
      await connection.kill()
    },
  }
}

/**
 * Returns a text that is the same for needs that may share a process. Logs may contain it: the environment is hashed,
 * and the salt keeps readers of a log from trying values until one fits.
 */
export function fingerprintOf(need: AgentNeed, salt: string): string {
  const { recipe, program, env, workspace, place, sandbox = null, limits = null } = need
  const namespace = place?.namespace ?? null
  const shown = sandbox?.shows?.map(({ from }) => from) ?? []
  const confined = sandbox && [sandbox.mode, sandbox.place.path, [...sandbox.hosts].sort(), ...shown]
  const text = JSON.stringify([
    recipe.id,
    program,
    recipe.args,
    Object.entries(env).sort(),
    workspace,
    namespace,
    confined,
    ...(limits ? [limits.memoryBytes ?? null, limits.pids ?? null] : []),
  ])
  return `${recipe.id}:${createHmac('sha256', salt).update(text).digest('hex').slice(0, 24)}`
}
