import type { AgentView } from './events/view.ts'
import type { Budgets } from './settings/environment.ts'
import type { Measure, Meter, Reached, Spent } from './settings/spending.ts'

/** Returns the first meter with nothing left. Turns under way are counted already, and allowed. */
export const usedUp = (used: readonly Reached[], turnsUnderWay = 0): Reached | null =>
  used.find((each) => each.used >= each.meter.limit + (each.meter.measure === 'turns' ? turnsUnderWay : 0)) ?? null

/** Returns the time that is left, ms; null where no meter limits it. */
export function timeLeft(used: readonly Reached[]): number | null {
  const left = used.filter(({ meter }) => meter.measure === 'ms').map((each) => each.meter.limit - each.used)
  return left.length > 0 ? Math.max(0, Math.min(...left)) : null
}

/** Whether other sessions draw on the same meter. */
export const isShared = ({ of }: Meter): boolean => of !== 'run' && of !== 'session'

/** An agent's own figures: tokens in its memory, and the cost of its conversation. */
export interface AgentUsage {
  readonly tokens: number
  readonly cost: number
}

/** Reads an agent's figures. A missing figure counts as 0; a cost is a number or has an `amount`. */
export function agentUsage(usage: AgentView['usage']): AgentUsage {
  const { amount } = (usage?.cost ?? {}) as { amount?: unknown }
  const cost = typeof usage?.cost === 'number' ? usage.cost : amount
  return { tokens: usage?.used ?? 0, cost: typeof cost === 'number' ? cost : 0 }
}

/** A turn as far as it is measured: `first` and `now` are the agent's figures at its beginning and now. */
export interface TurnMeasured {
  readonly ms: number
  readonly turns: number
  /** Tokens that the agent named in its answers. */
  readonly answered: number
  readonly first: AgentUsage
  readonly now: AgentUsage
}

export const spentInTurn = ({ ms, turns, answered, first, now }: TurnMeasured): Spent => ({
  ms,
  turns,
  // Until the agent answers, the growth of its memory is the least that it has used.
  tokens: Math.max(answered, now.tokens - first.tokens, 0),
  // Agents count the cost of a conversation, and begin at zero in a new process.
  cost: now.cost >= first.cost ? now.cost - first.cost : now.cost,
})

/** Returns the tokens that an answer names: its total, in either spelling, else the sum of input and output. */
export function tokensOf(answer: unknown): number {
  const usage = ((answer as { usage?: unknown } | null)?.usage ?? {}) as Readonly<Record<string, unknown>>
  const number = (...names: string[]) =>
    names.map((name) => usage[name]).find((value): value is number => typeof value === 'number')
  return (
    number('totalTokens', 'total_tokens') ??
    (number('inputTokens', 'input_tokens') ?? 0) + (number('outputTokens', 'output_tokens') ?? 0)
  )
}

/** A budget of a scope that several sessions share. */
export type SharedMeter = Meter & { readonly of: 'project' | 'space' | 'workspace' }

/** Returns the shared budget that must be raised to `to`; null where it allows that much, or belongs to one session. */
export function budgetToRaise(meters: readonly Meter[], key: string, to: number): SharedMeter | null {
  const meter = meters.find((each) => each.key === key)
  return meter && isShared(meter) && meter.limit < to ? (meter as SharedMeter) : null
}

/** Returns budgets with the total of one measure set to `to`. */
export const withTotal = (budgets: Budgets | undefined, measure: Measure, to: number): Budgets => ({
  ...budgets,
  total: { ...budgets?.total, [measure]: to },
})
