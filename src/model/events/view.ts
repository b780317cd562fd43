import type { AgentId, InteractionId, PromptId, RunId, SessionId } from '../ids.ts'
import type { Grant, Question } from '../interaction.ts'
import type { Raised, Spent } from '../settings/spending.ts'
import type { Headline, PlaceKind, RunOutcome, SessionState, Who } from '../tree.ts'
import type { BusyPolicy, ContentBlock, HalfDone } from './events.ts'
import type { Item } from './items.ts'

/**
 * Present state of a session without its transcript: queue, run, open questions, and options of each agent. Small plain
 * JSON, the same at both ends of the wire. The items are the transcript; `fold.ts` derives both from events.
 */
export interface SessionView {
  readonly session: SessionId
  /** Last event folded into this view. */
  readonly seq: number
  readonly state: 'open' | 'closing' | 'closed'
  readonly queue: readonly QueuedPrompt[]
  readonly steering: readonly QueuedPrompt[]
  readonly run: RunView | null
  readonly lastRun: {
    readonly id: RunId
    readonly agent: AgentId
    readonly outcome: RunOutcome
    readonly endedAt: number
  } | null
  readonly open: Readonly<Record<string, OpenQuestion>>
  /** Answers not yet given to an agent. Each is used once (I3). */
  readonly grants: readonly Grant[]
  /** Last active or requested agent. Null before the first prompt. */
  readonly agent: AgentId | null
  readonly agents: Readonly<Record<string, AgentView>>
  /** Number of paths changed by the active or last run. */
  readonly changed: number
  readonly raised: Raised
  readonly title: string | null
  readonly index: ItemIndex
}

export interface QueuedPrompt {
  readonly prompt: PromptId
  readonly content: readonly ContentBlock[]
  readonly agent: AgentId
  readonly busy: BusyPolicy
  readonly by: Who
  readonly at: number
  readonly seq: number
  /** Reason why a steering prompt was queued instead; null for others. */
  readonly deferred: string | null
}

export interface RunView {
  readonly id: RunId
  readonly prompt: PromptId
  /** Its item. */
  readonly n: number
  readonly agent: AgentId
  readonly content: readonly ContentBlock[]
  readonly state: 'admitted' | 'started' | 'parked'
  readonly place: { readonly kind: PlaceKind; readonly path: string }
  readonly budgetMs: number | null
  /** Usage when the run was last parked. */
  readonly spent: Spent
  readonly admittedAt: number
  readonly startedAt: number | null
  readonly cancelling: boolean
  /** Number of times the run was started or resumed. */
  readonly turns: number
  /** Prompts that joined the run, oldest first. */
  readonly steered: readonly Pick<QueuedPrompt, 'prompt' | 'content'>[]
  /** Answers that the run got, with the tool call whose question got each. */
  readonly given: readonly (Grant & { readonly toolCallId: string | null })[]
}

export interface OpenQuestion {
  readonly n: number
  readonly run: RunId
  readonly agent: AgentId
  readonly question: Question
  readonly fingerprint: string
  readonly openedAt: number
  readonly expiresAt: number | null
  /** The agent asked it after the end of its run. */
  readonly afterword?: true
}

/** State of one agent in this session: its context, and its options as reported. */
export interface AgentView {
  readonly acpSession: string | null
  readonly fingerprint: string | null
  readonly status: 'none' | 'open' | 'lost'
  /** Time when the agent opened or resumed this conversation, ms since 1970. */
  readonly openedAt: number | null
  readonly info: unknown
  /** Keeper of its process, and the keeper's last frame in the log (`frame`). */
  readonly keeper: string | null
  readonly frame: number
  /** Machine that opened the conversation last; absent where the log does not say it. */
  readonly machine?: string
  readonly modes: readonly { readonly id: string; readonly name: string; readonly description: string | null }[]
  readonly mode: string | null
  /** ACP config options, unmodified: model, thought level and others. */
  readonly options: readonly unknown[]
  readonly commands: readonly { readonly name: string; readonly description: string; readonly hint: string | null }[]
  /** Context fill and cost as last reported. */
  readonly usage: { readonly used: number; readonly size: number; readonly cost: unknown } | null
  /** Usage as reported by the last afterword: no part of a later run. Null without one. */
  readonly usageBetween: AgentView['usage']
  /** Its last run that ended, with the items that an afterword of it may still change. */
  readonly ended: {
    readonly run: RunId
    readonly outcome: RunOutcome
    readonly index: ItemIndex
    /** Tool calls that were open at its end, and whose state the agent has not told since. */
    readonly left: readonly string[]
  } | null
  /** Parts of its work that go on after that run; empty for none. */
  readonly background: readonly string[]
  /** Settings requested by people, applied to every new process. */
  readonly wanted: { readonly mode: string | null; readonly options: Readonly<Record<string, string | boolean>> }
  /** Requested settings that no process has received yet. */
  readonly pending: {
    readonly mode: string | null
    readonly options: Readonly<Record<string, string | boolean>>
  } | null
}

/**
 * Open text that the next chunk continues, with all data to end or split it. A page without its item (one that begins
 * later) then numbers the following items correctly.
 */
export interface OpenText {
  readonly n: number
  readonly messageId: string | null
  /** Length of its item's text. */
  readonly chars: number
}

/** Items that later events may still change. Bounded by the work of one run. */
export interface ItemIndex {
  readonly message: (OpenText & { readonly role: 'agent' | 'user' }) | null
  readonly thought: OpenText | null
  readonly plan: number | null
  /** Files item of the active or last run. */
  readonly files: { readonly n: number; readonly run: RunId | null } | null
  /** Tool calls of the active or last run, by ACP id: the open ones and the newest others. */
  readonly tools: Readonly<Record<string, number>>
  readonly unfinished: readonly string[]
  /** Unfinished tool calls that have begun: they are more than announced, or asked about. */
  readonly begun: readonly string[]
}

/** Version of fold and view. Raise it when their meaning changes: stored folds of other versions are then rebuilt. */
export const FOLD_VERSION = 8

export function emptyView(session: SessionId): SessionView {
  return {
    session,
    seq: 0,
    state: 'open',
    queue: [],
    steering: [],
    run: null,
    lastRun: null,
    open: {},
    grants: [],
    agent: null,
    agents: {},
    changed: 0,
    raised: {},
    title: null,
    index: EMPTY_INDEX,
  }
}

export const EMPTY_INDEX: ItemIndex = {
  message: null,
  thought: null,
  plan: null,
  files: null,
  tools: {},
  unfinished: [],
  begun: [],
}

export const EMPTY_AGENT: AgentView = {
  acpSession: null,
  fingerprint: null,
  status: 'none',
  openedAt: null,
  info: null,
  keeper: null,
  frame: 0,
  modes: [],
  mode: null,
  options: [],
  commands: [],
  usage: null,
  usageBetween: null,
  ended: null,
  background: [],
  wanted: { mode: null, options: {} },
  pending: null,
}

/** Returns the state that lists show for a session. */
export function sessionState(view: SessionView): SessionState {
  if (view.state === 'closed') return 'closed'
  if (Object.keys(view.open).length > 0) return 'waiting'
  if (view.run) return view.run.state === 'admitted' ? 'queued' : 'running'
  if (view.queue.length + view.steering.length > 0) return 'queued'
  if (view.lastRun?.outcome === 'lost') return 'lost'
  if (view.lastRun && (view.lastRun.outcome === 'failed' || view.lastRun.outcome === 'over_budget')) return 'failed'
  return 'idle'
}

export function headline(view: SessionView, fallbackAgent: AgentId, closedAt: number | null): Headline {
  return {
    state: sessionState(view),
    questions: Object.keys(view.open).length,
    queued: view.queue.length + view.steering.length,
    agent: view.agent ?? fallbackAgent,
    lastRun: view.run
      ? { id: view.run.id, outcome: null, endedAt: null }
      : view.lastRun && { id: view.lastRun.id, outcome: view.lastRun.outcome, endedAt: view.lastRun.endedAt },
    changed: view.changed,
    closedAt: view.state === 'closed' ? closedAt : null,
  }
}

/** Whether the run has an open question, or an answer that no agent has received: such a run can outlive its process. */
export const waitsForPerson = ({ open, grants }: Pick<SessionView, 'open' | 'grants'>): boolean =>
  [...Object.values(open), ...grants].some(({ afterword }) => !afterword)

const NONE: ReadonlySet<string> = new Set()
const EXPIRES_AT: ExpiryOf = ({ expiresAt }) => expiresAt

/** Knowledge of a holder besides the view. */
interface Known {
  /** Puts the expiry of a question off, after a sleep of the server. */
  readonly expiryOf?: ExpiryOf
  /** Questions from after a run whose agent waits in a process of this node. */
  readonly served?: ReadonlySet<string>
}

/** Next step for the holder of a session. */
export type Step =
  | { readonly do: 'rest' }
  | { readonly do: 'close' }
  | { readonly do: 'admit'; readonly prompt: QueuedPrompt }
  /** Start (again): the run is admitted, no agent has the prompt, and no question is open. */
  | { readonly do: 'start' }
  /** Resume: the run is parked and every question has an answer. */
  | { readonly do: 'resume' }
  /** Record as lost: the run was started, but no process of this node serves it. */
  | { readonly do: 'bury' }
  /** Park: like `bury`, but the run waits for a person. */
  | { readonly do: 'park' }
  /** End: a person cancelled the run and no process serves it. */
  | { readonly do: 'end' }
  /** Wait for a person without a lease. `until`: expiry of the first question, ms since 1970. */
  | { readonly do: 'wait'; readonly until: number | null }
  | { readonly do: 'expire'; readonly interaction: InteractionId }
  /** Withdraw: the agent asked after its run, and no process of this node waits for the answer. */
  | { readonly do: 'withdraw'; readonly interaction: InteractionId; readonly run: RunId }
  /** Give up an answer to such a question: the agent that asked is gone. */
  | { readonly do: 'drop'; readonly grant: Grant }

/**
 * Decides the next step of a session that no process of this node serves. Pure and total: restart, takeover and normal
 * operation all use this function.
 */
export function nextStep(view: SessionView, now: number, { expiryOf = EXPIRES_AT, served = NONE }: Known = {}): Step {
  const { run } = view
  const orphan = Object.entries(view.open).find(([id, { afterword }]) => afterword && !served.has(id))
  if (orphan) return { do: 'withdraw', interaction: orphan[0] as InteractionId, run: orphan[1].run }
  const grant = view.grants.find(({ afterword, interaction }) => afterword && !served.has(interaction))
  if (grant) return { do: 'drop', grant }
  if (run) return stepOfRun(view, run, now, expiryOf)
  if (view.state === 'closed') return { do: 'rest' }
  if (view.state === 'closing') return { do: 'close' }
  const prompt = view.queue[0] ?? view.steering[0]
  return prompt ? { do: 'admit', prompt } : { do: 'rest' }
}

type ExpiryOf = (question: OpenQuestion) => number | null

function stepOfRun(view: SessionView, run: RunView, now: number, expiryOf: ExpiryOf): Step {
  if (run.cancelling || view.state !== 'open') return { do: 'end' }
  const own = Object.entries(view.open).filter(([, { afterword }]) => !afterword)
  const open = own.map(([id, question]) => ({ id, expiresAt: expiryOf(question) }))
  if (run.state === 'started') return waitsForPerson(view) ? { do: 'park' } : { do: 'bury' }
  if (open.length === 0) return { do: run.state === 'admitted' ? 'start' : 'resume' }
  const expired = open.find(({ expiresAt }) => expiresAt !== null && expiresAt <= now)
  if (expired) return { do: 'expire', interaction: expired.id as InteractionId }
  const ends = open.map(({ expiresAt }) => expiresAt).filter((at) => at !== null)
  return { do: 'wait', until: ends.length > 0 ? Math.min(...ends) : null }
}

/**
 * Returns the items that later events may still change. With only these loaded, a fold gives the same items as with
 * all of them.
 */
export function liveItems(view: SessionView): number[] {
  const ended = Object.values(view.agents).flatMap((agent) => agent.ended?.index ?? [])
  const ns = [view.index, ...ended].flatMap(({ message, thought, plan, files, tools }) => [
    ...[message?.n, thought?.n, plan, files?.n],
    ...Object.values(tools),
  ])
  ns.push(view.run?.n)
  ns.push(...Object.values(view.open).map(({ n }) => n), ...view.grants.map(({ n }) => n))
  return [...new Set(ns.filter((n) => n !== undefined && n !== null))]
}

/** Returns the unfinished tool calls, for the outcome of a run that was cut off. */
export function halfDone(view: SessionView, item: (n: number) => Item | undefined): HalfDone[] {
  return view.index.unfinished.flatMap((id) => {
    const n = Object.hasOwn(view.index.tools, id) ? view.index.tools[id] : undefined
    const found = n === undefined ? undefined : item(n)
    return found?.kind === 'tool' ? [{ toolCallId: id, title: found.title, status: found.status }] : []
  })
}
