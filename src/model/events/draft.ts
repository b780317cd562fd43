import type { AgentId } from '../ids.ts'
import type { Event } from './events.ts'
import type { Item } from './items.ts'
import { type AgentView, EMPTY_AGENT, type SessionView } from './view.ts'

/** Work in progress on one event: the next view, and the items that the event touches. */
export interface FoldDraft {
  view: { -readonly [Key in keyof SessionView]: SessionView[Key] }
  readonly event: Event
  /** The event is an afterword: a message after the end of its run. */
  readonly afterword?: true
  /** For an afterword: tool calls that were open at the end of its run. */
  readonly left?: readonly string[]
  get(n: number): Item | undefined
  put(item: Item): void
}

/** Looks up an own property. Keys come from people and agents; `constructor` must not find the inherited one. */
export const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined

export const agentOf = (draft: FoldDraft, agent: AgentId): AgentView => own(draft.view.agents, agent) ?? EMPTY_AGENT

export function patchAgent(draft: FoldDraft, agent: AgentId, patch: Partial<AgentView>): void {
  const before = agentOf(draft, agent)
  draft.view.agents = { ...draft.view.agents, [agent]: { ...before, ...patch } }
}

/** Ends the open message and thought: the next text starts a new item. */
export function closeTexts(draft: FoldDraft): void {
  const { thought, message } = draft.view.index
  if (!thought && !message) return
  if (thought) {
    const item = draft.get(thought.n)
    if (item?.kind === 'thought') draft.put({ ...item, endedAt: draft.event.at, seq: draft.event.seq })
  }
  draft.view.index = { ...draft.view.index, message: null, thought: null }
}

export function freshItem(draft: FoldDraft): Pick<Item, 'n' | 'seq' | 'at' | 'run' | 'afterword'> {
  const { seq, at } = draft.event
  const run = draft.event.run ?? draft.view.run?.id ?? null
  return { n: seq, seq, at, run, ...(draft.afterword && { afterword: true }) }
}

export function notice(draft: FoldDraft, level: 'info' | 'warning' | 'error', text: string, data?: unknown): void {
  closeTexts(draft)
  draft.put({ ...freshItem(draft), kind: 'notice', level, text, ...(data === undefined ? {} : { data }) })
}

/** Marks the open tool calls as interrupted: no later event will report their end. */
export function interruptTools(draft: FoldDraft): void {
  for (const id of draft.view.index.unfinished) putInterrupted(draft, id)
  draft.view.index = { ...draft.view.index, unfinished: [], begun: [] }
}

/** The same for one call. */
export function interruptTool(draft: FoldDraft, id: string): void {
  putInterrupted(draft, id)
  const { index } = draft.view
  draft.view.index = { ...index, unfinished: without(index.unfinished, id), begun: without(index.begun, id) }
}

function putInterrupted(draft: FoldDraft, id: string): void {
  const item = draft.get(own(draft.view.index.tools, id) ?? -1)
  if (item?.kind === 'tool')
    draft.put({ ...item, status: 'interrupted', endedAt: draft.event.at, seq: draft.event.seq })
}

export const without = (ids: readonly string[], id: string): readonly string[] =>
  ids.includes(id) ? ids.filter((other) => other !== id) : ids
