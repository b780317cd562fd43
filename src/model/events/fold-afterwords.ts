import type { AgentId, RunId } from '../ids.ts'
import { agentOf, closeTexts, type FoldDraft, own, patchAgent } from './draft.ts'
import type { EventOf } from './events.ts'
import { EMPTY_INDEX } from './view.ts'

type Ended = Pick<EventOf<'run.ended'>['data'], 'run' | 'outcome'>

/**
 * Folds an afterword: a message of an agent after the end of its run. Changes the items that this run left, and
 * never those of a run that is under way meanwhile.
 */
export function foldAfterword(draft: FoldDraft, agent: AgentId, run: RunId, fold: (draft: FoldDraft) => void): void {
  const { ended } = agentOf(draft, agent)
  const { run: active, index } = draft.view
  draft.view.run = null
  const of = ended?.run === run ? ended : { run, outcome: 'completed' as const, index: EMPTY_INDEX, left: [] }
  draft.view.index = of.index
  const { usage } = agentOf(draft, agent)
  // Both drafts change the same view.
  fold({ ...draft, afterword: true, left: of.left })
  const now = agentOf(draft, agent)
  patchAgent(draft, agent, {
    ended: { ...of, index: draft.view.index },
    ...(now.usage !== usage && { usageBetween: now.usage }),
  })
  draft.view.run = active
  draft.view.index = index
}

/** Notes that the agent told the state of a tool call: it is at work, or has ended. */
export function heardOf(draft: FoldDraft, agent: AgentId, update: unknown): void {
  const { toolCallId: id, status } = (update ?? {}) as { toolCallId?: unknown; status?: unknown }
  const { ended } = agentOf(draft, agent)
  if (!ended || typeof id !== 'string' || typeof status !== 'string' || !ended.left.includes(id)) return
  patchAgent(draft, agent, { ended: { ...ended, left: ended.left.filter((each) => each !== id) } })
}

/** Returns the agent whose last ended run this is; null where a later run of the agent has ended. */
export function agentOfEnded(draft: FoldDraft, run: RunId | null): AgentId | null {
  const found = Object.entries(draft.view.agents).find(([, { ended }]) => run !== null && ended?.run === run)
  return (found?.[0] as AgentId | undefined) ?? null
}

/**
 * Keeps the index of a run at its end, for its afterwords. Tool calls that an earlier run of the agent left at work
 * stay in it.
 */
export function keepEnded(draft: FoldDraft, agent: AgentId, { run, outcome }: Ended, left: readonly string[]): void {
  const before = agentOf(draft, agent).ended
  if (before) foldAfterword(draft, agent, before.run, closeTexts)
  const { tools: all, unfinished, begun } = agentOf(draft, agent).ended?.index ?? EMPTY_INDEX
  const atWork = unfinished.flatMap((id) => {
    const n = own(all, id)
    return n === undefined ? [] : [[id, n] as const]
  })
  const { tools, files } = draft.view.index
  const isEarlier = (id: string) => own(tools, id) === undefined
  const still = { unfinished: unfinished.filter(isEarlier), begun: begun.filter(isEarlier) }
  const index = { ...EMPTY_INDEX, ...still, tools: { ...Object.fromEntries(atWork), ...tools }, files }
  patchAgent(draft, agent, { ended: { run, outcome, index, left } })
}
