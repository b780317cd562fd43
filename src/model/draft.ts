import type { Event } from './events.ts'
import type { AgentId } from './ids.ts'
import type { Item } from './items.ts'
import { type AgentView, EMPTY_AGENT, type SessionView } from './view.ts'

/** One event's work in progress: the next view, and the items it touches. */
export interface Draft {
  view: { -readonly [Key in keyof SessionView]: SessionView[Key] }
  readonly event: Event
  get(n: number): Item | undefined
  put(item: Item): void
}

/** Names come from people and agents; `constructor` is one of them and must not find what every object has. */
export const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined

export const agentOf = (draft: Draft, agent: AgentId): AgentView => own(draft.view.agents, agent) ?? EMPTY_AGENT

/** Changes what is known of one agent. */
export function patchAgent(draft: Draft, agent: AgentId, patch: Partial<AgentView>): void {
  const before = agentOf(draft, agent)
  draft.view.agents = { ...draft.view.agents, [agent]: { ...before, ...patch } }
}

/** Ends the open message and thought: what comes next starts a new item. */
export function closeTexts(draft: Draft): void {
  const { thought, message } = draft.view.index
  if (!thought && !message) return
  if (thought) {
    const item = draft.get(thought.n)
    if (item?.kind === 'thought') draft.put({ ...item, endedAt: draft.event.at, seq: draft.event.seq })
  }
  draft.view.index = { ...draft.view.index, message: null, thought: null }
}

/** The fields every new item has. */
export function freshItem(draft: Draft): { n: number; seq: number; at: number; run: Item['run'] } {
  const { seq, at } = draft.event
  return { n: seq, seq, at, run: draft.event.run ?? draft.view.run?.id ?? null }
}
