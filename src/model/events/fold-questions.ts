import type { InteractionId } from '../ids.ts'
import type { Answer, Grant } from '../interaction.ts'
import { isBudgetKey, raisedTo } from '../settings/spending.ts'
import type { Who } from '../tree.ts'
import { closeTexts, type FoldDraft, freshItem, notice, own } from './draft.ts'
import type { EventOf } from './events.ts'
import { agentOfEnded, foldAfterword } from './fold-afterwords.ts'
import type { QuestionItem } from './items.ts'

/** Handlers of questions and their answers: one item for each question. */
export const QUESTIONS = {
  'interaction.answered': (draft: FoldDraft, { data }: EventOf<'interaction.answered'>) =>
    settleQuestion(draft, data.interaction, 'answered', { answer: data.answer, by: data.by }),
  'interaction.expired': (draft: FoldDraft, { data }: EventOf<'interaction.expired'>) =>
    settleQuestion(draft, data.interaction, 'expired', { answer: data.answer, by: null }),
  'interaction.withdrawn': (draft: FoldDraft, { data }: EventOf<'interaction.withdrawn'>) =>
    withdraw(draft, data.interaction),
  'interaction.opened': (draft: FoldDraft, { data }: EventOf<'interaction.opened'>) => {
    if (data.afterword) foldAfterword(draft, data.agent, data.run, (to) => openQuestion(to, data))
    else openQuestion(draft, data)
  },
  'grant.used': (draft: FoldDraft, { data }: EventOf<'grant.used'>) => {
    const grant = draft.view.grants.find((each) => each.interaction === data.interaction)
    if (!grant) return
    draft.view.grants = draft.view.grants.filter((each) => each !== grant)
    const given = { ...grant, toolCallId: data.toolCallId }
    if (draft.view.run && !grant.afterword)
      draft.view.run = { ...draft.view.run, given: [...draft.view.run.given, given] }
    const to = isBudgetKey(grant.fingerprint) ? raisedTo(grant.answer) : null
    if (to !== null) draft.view.raised = { ...draft.view.raised, [grant.fingerprint]: to }
    const item = draft.get(grant.n)
    if (item?.kind === 'question') draft.put({ ...item, used: true, seq: draft.event.seq })
  },
  'permission.ruled': (draft: FoldDraft, { data }: EventOf<'permission.ruled'>) => {
    const agent = data.afterword ? agentOfEnded(draft, data.run) : null
    if (agent) foldAfterword(draft, agent, data.run, (to) => rule(to, data))
    else rule(draft, data)
  },
}

/** Withdraws a question, or its answer if no agent is left to get it. */
function withdraw(draft: FoldDraft, id: InteractionId): void {
  settleQuestion(draft, id, 'withdrawn', null)
  const isLeft = ({ interaction, afterword }: Grant) => !afterword || interaction !== id
  if (!draft.view.grants.every(isLeft)) draft.view.grants = draft.view.grants.filter(isLeft)
}

function openQuestion(draft: FoldDraft, data: EventOf<'interaction.opened'>['data']): void {
  closeTexts(draft)
  const { at, seq } = draft.event
  const { interaction, run, agent, question, fingerprint, expiresAt, afterword } = data
  const open = { n: seq, run, agent, question, fingerprint, openedAt: at, expiresAt, ...(afterword && { afterword }) }
  draft.view.open = { ...draft.view.open, [interaction]: open }
  const asked = { kind: 'question', interaction, agent, state: 'open', question, expiresAt } as const
  draft.put({ ...freshItem(draft), ...asked, answer: null, answeredBy: null, answeredAt: null, used: false })
}

function rule(draft: FoldDraft, data: EventOf<'permission.ruled'>['data']): void {
  const n = data.toolCallId === null ? undefined : own(draft.view.index.tools, data.toolCallId)
  const ruled = data.action === 'allow' ? 'Allowed by a rule' : 'Denied by a rule'
  if (n === undefined) return notice(draft, 'info', `${ruled}: ${data.title}`, { rule: data.rule })
  const item = draft.get(n)
  if (item?.kind === 'tool') draft.put({ ...item, ruled, seq: draft.event.seq })
}

/** Closes an open question. An answer becomes a grant, until the agent gets it. */
export function settleQuestion(
  draft: FoldDraft,
  id: InteractionId,
  state: 'answered' | 'expired' | 'withdrawn',
  settled: { answer: Answer; by: Who | null } | null,
): void {
  const open = draft.view.open[id]
  if (!open) return
  const { [id]: _, ...rest } = draft.view.open
  draft.view.open = rest
  if (settled) {
    draft.view.grants = [
      ...draft.view.grants,
      {
        interaction: id,
        n: open.n,
        fingerprint: open.fingerprint,
        answer: settled.answer,
        ...(open.afterword && { afterword: true as const }),
      },
    ]
  }
  const item = draft.get(open.n)
  if (item?.kind !== 'question') return
  const { seq, at } = draft.event
  const answered: Partial<QuestionItem> = settled
    ? { answer: settled.answer, answeredBy: settled.by, answeredAt: at }
    : { answeredAt: at }
  draft.put({ ...item, state, ...answered, seq })
}
