import type { BusyPolicy, ContentBlock, HalfDone } from './events.ts'
import type { AgentId, InteractionId, PromptId, RunId, SessionId } from './ids.ts'
import type { Grant, Question } from './interaction.ts'
import type { Item } from './items.ts'
import type { Raised, Spent } from './spending.ts'
import type { Headline, PlaceKind, RunOutcome, SessionState, Who } from './tree.ts'

/**
 * What a session's log says now, without its transcript: who waits, what runs, what each agent offers. Small, plain
 * JSON, the same at both ends of the wire. The transcript is the items; `fold.ts` makes both from events.
 */
export interface SessionView {
  readonly session: SessionId
  /** The last event folded into this view. */
  readonly seq: number
  readonly state: 'open' | 'closing' | 'closed'
  /** Prompts that wait, in the order they will be taken. */
  readonly queue: readonly QueuedPrompt[]
  /** Prompts that should join the running run. */
  readonly steering: readonly QueuedPrompt[]
  readonly run: RunView | null
  readonly lastRun: {
    readonly id: RunId
    readonly agent: AgentId
    readonly outcome: RunOutcome
    readonly endedAt: number
  } | null
  /** Open questions by their id. */
  readonly open: Readonly<Record<string, OpenQuestion>>
  /** Answers that no agent has had yet. Each is given once (I3). */
  readonly grants: readonly Grant[]
  /** The agent that spoke last, or was asked last. Null before the first prompt. */
  readonly agent: AgentId | null
  readonly agents: Readonly<Record<string, AgentView>>
  /** How many paths the run that is on or was last changed. */
  readonly changed: number
  /** What people allowed beyond limits and budgets. */
  readonly raised: Raised
  /** A title the agent gave. */
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
  /** Why a prompt meant to steer waits after all. */
  readonly deferred: string | null
}

export interface RunView {
  readonly id: RunId
  readonly prompt: PromptId
  /** The item that shows it. */
  readonly n: number
  readonly agent: AgentId
  readonly content: readonly ContentBlock[]
  readonly state: 'admitted' | 'started' | 'parked'
  readonly place: { readonly kind: PlaceKind; readonly path: string }
  readonly budgetMs: number | null
  /** What it had used when it was parked last. */
  readonly spent: Spent
  readonly admittedAt: number
  readonly startedAt: number | null
  readonly cancelling: boolean
  /** How often the agent was to be told to begin or go on. */
  readonly turns: number
  /** Text that joined it, oldest first. */
  readonly steered: readonly Pick<QueuedPrompt, 'prompt' | 'content'>[]
  /** Stored answers that it was to be given. */
  readonly given: readonly Grant[]
}

export interface OpenQuestion {
  readonly n: number
  readonly run: RunId
  readonly agent: AgentId
  readonly question: Question
  readonly fingerprint: string
  readonly openedAt: number
  readonly expiresAt: number | null
}

/** What is known of one agent in this session: its context and what it offers, as said. */
export interface AgentView {
  readonly acpSession: string | null
  readonly fingerprint: string | null
  readonly status: 'none' | 'open' | 'lost'
  /** When the agent made or took up this conversation, ms since 1970. */
  readonly openedAt: number | null
  readonly info: unknown
  /** The keeper of its process, and the last frame of it that is in the log. */
  readonly keeper: string | null
  readonly frame: number
  readonly modes: readonly { readonly id: string; readonly name: string; readonly description: string | null }[]
  readonly mode: string | null
  /** ACP config options as said: model, thought level and others. */
  readonly options: readonly unknown[]
  readonly commands: readonly { readonly name: string; readonly description: string; readonly hint: string | null }[]
  /** Context fill and cost as the agent last said them. */
  readonly usage: { readonly used: number; readonly size: number; readonly cost: unknown } | null
  /** What people asked for and is to be set on every new process. */
  readonly wanted: { readonly mode: string | null; readonly options: Readonly<Record<string, string | boolean>> }
  /** A request that no process has been told of yet. */
  readonly pending: {
    readonly mode: string | null
    readonly options: Readonly<Record<string, string | boolean>>
  } | null
}

/**
 * A text that goes on with the next words. What it needs to be ended or split stands here, so that whoever has not
 * got its item (a page that begins later) numbers the items behind it like everybody else.
 */
export interface OpenText {
  readonly n: number
  readonly messageId: string | null
  /** Length of its item's text. */
  readonly chars: number
}

/** Where the items are that later events may still change. Bounded by what one run does. */
export interface ItemIndex {
  readonly message: (OpenText & { readonly role: 'agent' | 'user' }) | null
  readonly thought: OpenText | null
  readonly plan: number | null
  /** What the run that is on or was last changed. */
  readonly files: { readonly n: number; readonly run: RunId | null } | null
  /** Tool calls of the run that is on or was last, by ACP id. */
  readonly tools: Readonly<Record<string, number>>
  /** Those of them without an end. */
  readonly unfinished: readonly string[]
}

/** Raise when the fold or the view changes its meaning: stored ones of another version are made again from the log. */
export const FOLD_VERSION = 6

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
  wanted: { mode: null, options: {} },
  pending: null,
}

/** The state a list shows for a session. */
export function sessionState(view: SessionView): SessionState {
  if (view.state === 'closed') return 'closed'
  if (Object.keys(view.open).length > 0) return 'waiting'
  if (view.run) return view.run.state === 'admitted' ? 'queued' : 'running'
  if (view.queue.length + view.steering.length > 0) return 'queued'
  if (view.lastRun?.outcome === 'lost') return 'lost'
  if (view.lastRun && (view.lastRun.outcome === 'failed' || view.lastRun.outcome === 'over_budget')) return 'failed'
  return 'idle'
}

/** What of a session's row its log decides. */
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

/** What the holder of a session should do next. */
export type Step =
  | { readonly do: 'rest' }
  | { readonly do: 'close' }
  | { readonly do: 'admit'; readonly prompt: QueuedPrompt }
  /** Begin or begin again: admitted, no agent has had the prompt, and nothing is asked before it. */
  | { readonly do: 'start' }
  /** Parked, and every question has its answer: go on with the grants. */
  | { readonly do: 'resume' }
  /** Under way elsewhere before this holder: no process of ours has it. */
  | { readonly do: 'bury' }
  /** The same, but it waited for a person: park it. */
  | { readonly do: 'park' }
  /** Someone wants it ended and no process has it. */
  | { readonly do: 'end' }
  /** Waits for a person: nothing to hold. `until` in ms, when the first question expires. */
  | { readonly do: 'wait'; readonly until: number | null }
  | { readonly do: 'expire'; readonly interaction: InteractionId }

/**
 * Decides the next step of a session that no process of this node serves at the moment. Pure, total: whoever takes
 * over a session asks this and nothing else, so that restart, takeover and the ordinary case are one.
 */
export function nextStep(view: SessionView, now: number): Step {
  const { run } = view
  if (run) return stepOfRun(view, run, now)
  if (view.state === 'closed') return { do: 'rest' }
  if (view.state === 'closing') return { do: 'close' }
  const prompt = view.queue[0] ?? view.steering[0]
  return prompt ? { do: 'admit', prompt } : { do: 'rest' }
}

function stepOfRun(view: SessionView, run: RunView, now: number): Step {
  if (run.cancelling || view.state !== 'open') return { do: 'end' }
  const open = Object.entries(view.open)
  if (run.state === 'started') return open.length > 0 || view.grants.length > 0 ? { do: 'park' } : { do: 'bury' }
  if (open.length === 0) return { do: run.state === 'admitted' ? 'start' : 'resume' }
  const expired = open.find(([, question]) => question.expiresAt !== null && question.expiresAt <= now)
  if (expired) return { do: 'expire', interaction: expired[0] as InteractionId }
  const ends = open.map(([, question]) => question.expiresAt).filter((at) => at !== null)
  return { do: 'wait', until: ends.length > 0 ? Math.min(...ends) : null }
}

/**
 * The items that later events may still change. Whoever folds on needs no others at hand: with these alone, every
 * item comes out as it would with all of them.
 */
export function liveItems(view: SessionView): number[] {
  const { message, thought, plan, files, tools } = view.index
  const ns = [message?.n, thought?.n, plan, files?.n, view.run?.n, ...Object.values(tools)]
  ns.push(...Object.values(view.open).map(({ n }) => n), ...view.grants.map(({ n }) => n))
  return [...new Set(ns.filter((n) => n !== undefined && n !== null))]
}

/** Tool calls that had begun and have no end, for the outcome of a run that was cut. */
export function halfDone(view: SessionView, item: (n: number) => Item | undefined): HalfDone[] {
  return view.index.unfinished.flatMap((id) => {
    const n = Object.hasOwn(view.index.tools, id) ? view.index.tools[id] : undefined
    const found = n === undefined ? undefined : item(n)
    return found?.kind === 'tool' ? [{ toolCallId: id, title: found.title, status: found.status }] : []
  })
}
