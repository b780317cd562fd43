import type { Outcome } from '../../model/events/events.ts'
import type { RunView } from '../../model/events/view.ts'
import type { InteractionId } from '../../model/ids.ts'
import { budgetToRaise, usedUp, withTotal } from '../../model/metering.ts'
import {
  budgetQuestion,
  isBudgetKey,
  type Meter,
  metersOf,
  type Reached,
  raisedTo,
  type Spent,
} from '../../model/settings/spending.ts'
import { environmentOf } from '../scope-settings.ts'
import type { SpentBy } from '../spending.ts'
import { recordEndWithout } from './run-end.ts'
import type { RunWork } from './run-work.ts'

/** A meter of a run, with the amount that all who draw on it have used according to their logs. */
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
 * Applies answers to earlier budget questions, then decides whether a run may begin or go on. Where a budget is used
 * up, a person is asked and the result is false.
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
    const asked = recorder.item(grant.n)
    const why = asked?.kind === 'question' ? asked.question.title.replace(' Allow more?', '') : 'A budget is used up.'
    await recordEndWithout(work, run, 'over_budget', why)
    return false
  }
  const reached = await budgetUsedUp(work, run)
  if (!reached) return true
  await recorder.record(budgetAsked(work, run, reached))
  return false
}

/** Returns the first meter of a run with nothing left; null when the run may begin. */
export async function budgetUsedUp(work: RunWork, run: Pick<RunView, 'spent'>): Promise<Reached | null> {
  const by = spentBy(work)
  const meters = await watched(work, run)
  return usedUp(
    meters.map(({ meter, before }) => ({
      meter,
      used: before + work.ctx.spending.under(meter.of, by)[meter.measure],
    })),
  )
}

export function budgetAsked({ ctx }: RunWork, run: RunView, { meter, used }: Reached): Outcome {
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
 * Raises a shared budget in the settings of its scope. Idempotent. A larger allowance for one run or session is in its
 * log and needs no change here.
 */
async function raise(work: RunWork, key: string, to: number): Promise<void> {
  const { store, now } = work.ctx
  const by = spentBy(work)
  const meter = budgetToRaise(metersOf(await environmentOf(work.ctx, by), {}), key, to)
  if (!meter) return
  const { budgets } = (await store.environment.at(by))[meter.of]
  const scope = {
    workspace: by.workspace,
    space: meter.of === 'workspace' ? null : by.space,
    project: meter.of === 'project' ? by.project : null,
  }
  await store.environment.change(scope, { budgets: withTotal(budgets, meter.measure, to) }, now())
}
