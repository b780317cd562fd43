import { z } from 'zod'
import type { Answer, Question } from '../interaction.ts'
import type { EffectiveEnvironment, ScopeLevel } from './environment.ts'

/** Usage: work time in ms, number of turns, and tokens and cost as agents report them. */
export const Spent = z.object({
  ms: z.number(),
  turns: z.number(),
  tokens: z.number(),
  cost: z.number(),
})
export type Spent = z.infer<typeof Spent>
export type Measure = keyof Spent

export const NOTHING_SPENT: Spent = { ms: 0, turns: 0, tokens: 0, cost: 0 }

export const addSpent = (a: Spent, b: Spent): Spent => ({
  ms: a.ms + b.ms,
  turns: a.turns + b.turns,
  tokens: a.tokens + b.tokens,
  cost: a.cost + b.cost,
})

/** Limit of a run or one measure of a budget, with the scope whose usage counts. */
export interface Meter {
  /** Key in questions and in `Raised`. */
  readonly key: string
  readonly of: 'run' | 'session' | 'project' | 'space' | 'workspace'
  /** Scope whose settings define the limit. */
  readonly from: ScopeLevel
  readonly measure: Measure
  readonly limit: number
}

export interface Reached {
  readonly meter: Meter
  readonly used: number
}

/** Raised limits of a session, by the key of the meter. */
export type Raised = Readonly<Record<string, number>>

const MEASURES: readonly Measure[] = ['ms', 'turns', 'tokens', 'cost']
const OF_RUN = 'budget run '

export function metersOf({ limits, budgets }: EffectiveEnvironment, raised: Raised): Meter[] {
  const ofRun = MEASURES.flatMap((measure): Meter[] => {
    const own = limits[measure]
    const key = `${OF_RUN}${measure}`
    return own ? [{ key, of: 'run', from: own.from, measure, limit: Math.max(own.value, raised[key] ?? 0) }] : []
  })
  const ofScopes = budgets.flatMap(({ of, from, budget }) =>
    MEASURES.flatMap((measure): Meter[] => {
      const value = budget[measure]
      if (value === undefined || from === 'default') return []
      const key = `budget ${of} ${measure} ${from}`
      const limit = Math.max(value, raised[key] ?? 0)
      return [{ key, of: of === 'session' ? 'session' : from, from, measure, limit }]
    }),
  )
  return [...ofRun, ...ofScopes]
}

/** Removes raised limits of a run, which end with it. */
export const withoutRun = (raised: Raised): Raised =>
  Object.fromEntries(Object.entries(raised).filter(([key]) => !key.startsWith(OF_RUN)))

/** Whether a fingerprint belongs to a budget question. No agent's fingerprint has this prefix. */
export const isBudgetKey = (fingerprint: string): boolean => fingerprint.startsWith('budget ')

const RAISE = 'raise:'

/** Returns the new limit that an answer allows; null when it allows nothing more. */
export function raisedTo(answer: Answer): number | null {
  if (!('option' in answer) || !answer.option.startsWith(RAISE)) return null
  return Number(answer.option.slice(RAISE.length))
}

/** Creates the question whether a run may use more. Without an answer the run stops. */
export function budgetQuestion(meter: Meter, used: number): Question {
  const { of, measure, limit } = meter
  let to = limit * 2
  while (to <= used) to *= 2
  const amount = amountWords(measure, limit)
  return {
    kind: 'choice',
    title: `${SUBJECTS[of]} has used up its ${amount}. Allow more?`,
    body: `Used so far: ${amountWords(measure, used)}. ${SOURCES[meter.from]}`,
    options: [
      { id: `${RAISE}${to}`, label: `Allow up to ${amountWords(measure, to)}`, kind: 'allow_once' },
      { id: 'stop', label: 'Stop here', kind: 'reject_once' },
    ],
    toolCallId: null,
    toolKind: null,
    paths: [],
    command: null,
  }
}

const SUBJECTS = {
  run: 'This run',
  session: 'This session',
  project: 'This project',
  space: 'This Space',
  workspace: 'This workspace',
} as const

const SOURCES = {
  default: 'The limit is the default of this installation (`runBudgetMs`).',
  workspace: 'The limit is set in the environment settings of the workspace.',
  space: 'The limit is set in the environment settings of the Space.',
  project: 'The limit is set in the environment settings of the project.',
} as const

/** Formats an amount: `90 s of work`, `3 turns`, `2000 tokens`, `1.5 of cost`. */
export function amountWords(measure: Measure, amount: number): string {
  const rounded = Math.round(amount * 10_000) / 10_000
  if (measure === 'cost') return `${rounded} of cost`
  if (measure === 'tokens' || measure === 'turns') return `${rounded} ${measure}`
  if (amount < 120_000) return `${Math.round(amount / 1_000)} s of work`
  return `${Math.round(amount / 60_000)} min of work`
}
