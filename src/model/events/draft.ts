import type { AgentId } from '../ids.ts'
import type { Event } from './events.ts'
import type { Item } from './items.ts'
import { type AgentView, EMPTY_AGENT, type SessionView } from './view.ts'

/** Work in progress on one event: the next view, and the items that the event touches. */
export interface FoldDraft {
  view: { -readonly [Key in keyof SessionView]: SessionView[Key] }
  readonly event: Event
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

export function freshItem(draft: FoldDraft): { n: number; seq: number; at: number; run: Item['run'] } {
  const { seq, at } = draft.event
  return { n: seq, seq, at, run: draft.event.run ?? draft.view.run?.id ?? null }
}
