import { z } from 'zod'
import type { EffectiveEnvironment, Layer } from './environment.ts'
import type { Answer, Question } from './interaction.ts'

/** What work has used: time at it in ms, how often an agent was told something, and what agents say it cost. */
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

/** A limit or one measure of a budget, and what is counted together for it. */
export interface Meter {
  /** Names it in questions and in what was raised. */
  readonly key: string
  readonly of: 'run' | 'session' | 'project' | 'space' | 'workspace'
  /** The scope that says it. */
  readonly from: Layer
  readonly measure: Measure
  readonly limit: number
}

/** A meter with the amount that its work has used. */
export interface Reached {
  readonly meter: Meter
  readonly used: number
}

/** What people allowed beyond limits and budgets of a session, by the key of the meter. */
export type Raised = Readonly<Record<string, number>>

const MEASURES: readonly Measure[] = ['ms', 'turns', 'tokens', 'cost']
const OF_RUN = 'budget run '

/** What is to be watched for a run. */
export function metersOf({ limits, budgets }: EffectiveEnvironment, raised: Raised): Meter[] {
  const ofRun = MEASURES.flatMap((measure): Meter[] => {
    const said = limits[measure]
    const key = `${OF_RUN}${measure}`
    return said ? [{ key, of: 'run', from: said.from, measure, limit: Math.max(said.value, raised[key] ?? 0) }] : []
  })
  const ofScopes = budgets.flatMap(({ of, from, budget }) =>
    MEASURES.flatMap((measure): Meter[] => {
      const said = budget[measure]
      if (said === undefined || from === 'default') return []
      const key = `budget ${of} ${measure} ${from}`
      const limit = Math.max(said, raised[key] ?? 0)
      return [{ key, of: of === 'session' ? 'session' : from, from, measure, limit }]
    }),
  )
  return [...ofRun, ...ofScopes]
}

/** A limit of a run goes with it; the next run of the session has its own. */
export const withoutRun = (raised: Raised): Raised =>
  Object.fromEntries(Object.entries(raised).filter(([key]) => !key.startsWith(OF_RUN)))

/** Whether a question is about a budget, by its fingerprint: no agent's begins so. */
export const isBudgetKey = (fingerprint: string): boolean => fingerprint.startsWith('budget ')

const RAISE = 'raise:'

/** How much an answer allows; null where it allows nothing more. */
export function raisedTo(answer: Answer): number | null {
  if (!('option' in answer) || !answer.option.startsWith(RAISE)) return null
  return Number(answer.option.slice(RAISE.length))
}

/** Asks a person whether more may be used. Without an answer it ends there. */
export function budgetQuestion(meter: Meter, used: number): Question {
  const { of, measure, limit } = meter
  let to = limit * 2
  while (to <= used) to *= 2
  const words = amountWords(measure, limit)
  return {
    kind: 'choice',
    title: `${WHOSE[of]} has used up its ${words}. Allow more?`,
    body: `Used are ${amountWords(measure, used)}. ${SAID[meter.from]}`,
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

const WHOSE = {
  run: 'This run',
  session: 'This session',
  project: 'This project',
  space: 'This Space',
  workspace: 'This workspace',
} as const

const SAID = {
  default: 'The limit is the default of this installation (`runBudgetMs`).',
  workspace: 'It is said in the environment of the workspace.',
  space: 'It is said in the environment of the Space.',
  project: 'It is said in the environment of the project.',
} as const

/** `90 s of work`, `3 turns`, `2000 tokens`, `1.5 of cost`. */
export function amountWords(measure: Measure, amount: number): string {
  const rounded = Math.round(amount * 10_000) / 10_000
  if (measure === 'cost') return `${rounded} of cost`
  if (measure === 'tokens' || measure === 'turns') return `${rounded} ${measure}`
  if (amount < 120_000) return `${Math.round(amount / 1_000)} s of work`
  return `${Math.round(amount / 60_000)} min of work`
}
