import type { Outcome } from '../../model/events.ts'
import type { InteractionId } from '../../model/ids.ts'
import { budgetQuestion, isBudgetKey, type Meter, metersOf, raisedTo, type Spent } from '../../model/spending.ts'
import type { RunView } from '../../model/view.ts'
import { environmentOf } from '../verbs/environment.ts'
import { recordEndWithout } from './run-end.ts'
import type { RunWork } from './run-work.ts'
import type { SpentBy } from './spending.ts'

/** What is used up. */
export interface Reached {
  readonly meter: Meter
  readonly used: number
}

/** What a run may use, and what was used by everybody who draws on the same, as far as it is written down. */
export interface Watched {
  readonly meter: Meter
  readonly before: number
}

export const spentBy = ({ recorder: { session } }: RunWork): SpentBy => ({
  workspace: session.workspace,
  space: session.space,
  project: session.project,
  session: session.id,
})

export async function watched(work: RunWork, run: Pick<RunView, 'spent'>): Promise<Watched[]> {
  const by = spentBy(work)
  const meters = metersOf(await environmentOf(work.ctx, by), work.recorder.view.raised)
  const sums = new Map<Meter['of'], Promise<Spent>>([['run', Promise.resolve(run.spent)]])
  const sum = (of: Meter['of']): Promise<Spent> => {
    const known =
      sums.get(of) ?? work.ctx.store.log.spent(by.workspace, of === 'workspace' ? {} : { [of]: by[of as 'session'] })
    sums.set(of, known)
    return known
  }
  return await Promise.all(meters.map(async (meter) => ({ meter, before: (await sum(meter.of))[meter.measure] })))
}

/**
 * Lets a run begin or go on while there is something left to use. Answers to earlier questions about that take effect
 * here; where something is used up a person is asked, and the run waits. False: nothing may begin now.
 */
export async function mayBegin(work: RunWork, run: RunView): Promise<boolean> {
  const { recorder } = work
  for (const grant of recorder.view.grants) {
    if (!isBudgetKey(grant.fingerprint)) continue
    const to = raisedTo(grant.answer)
    if (to !== null) await raise(work, grant.fingerprint, to)
    const data = { interaction: grant.interaction, run: run.id, toolCallId: null }
    await recorder.record({ type: 'grant.used', run: run.id, data })
    if (to !== null) continue
    const before = recorder.item(grant.n)
    const why = before?.kind === 'question' ? before.question.title.replace(' Allow more?', '') : 'A budget is used up.'
    await recordEndWithout(work, run, 'over_budget', why)
    return false
  }
  const reached = await usedUp(work, run)
  if (!reached) return true
  await recorder.record(asked(work, run, reached))
  return false
}

/** What has nothing left of all that a run draws on; null when it may begin. */
export async function usedUp(work: RunWork, run: Pick<RunView, 'spent'>): Promise<Reached | null> {
  const by = spentBy(work)
  const used = (await watched(work, run)).map(({ meter, before }) => ({
    meter,
    used: before + work.ctx.spending.under(meter.of, by)[meter.measure],
  }))
  return used.find((each) => each.used >= each.meter.limit) ?? null
}

/** The question of a run that has reached the end of what it may use. */
export function asked({ ctx }: RunWork, run: RunView, { meter, used }: Reached): Outcome {
  const { questionTtlMs } = ctx.config
  const data = {
    interaction: ctx.id('interaction') as InteractionId,
    run: run.id,
    agent: run.agent,
    question: budgetQuestion(meter, used),
    fingerprint: meter.key,
    expiresAt: questionTtlMs === null ? null : ctx.now() + questionTtlMs,
  }
  return { type: 'interaction.opened', run: run.id, data }
}

/**
 * What was allowed to a run or session is in its log. A budget that many share is raised where it is said; said twice,
 * it is raised once.
 */
async function raise(work: RunWork, key: string, to: number): Promise<void> {
  const { store, now } = work.ctx
  const by = spentBy(work)
  const meter = metersOf(await environmentOf(work.ctx, by), {}).find((each) => each.key === key)
  if (!meter || meter.of === 'run' || meter.of === 'session' || meter.limit >= to) return
  const said = await store.environment.at(by)
  const { budgets } = said[meter.of]
  const scope = {
    workspace: by.workspace,
    space: meter.of === 'workspace' ? null : by.space,
    project: meter.of === 'project' ? by.project : null,
  }
  const total = { ...budgets?.total, [meter.measure]: to }
  await store.environment.change(scope, { budgets: { ...budgets, total } }, now())
}
