import type { Budget, Environment, EnvironmentChange } from '../../src/model/environment.ts'
import { CarrelError } from '../../src/model/errors.ts'
import { readSize, sizeShort, sizeWords } from '../../src/model/sizes.ts'
import { texts } from '../texts/texts.ts'

const MINUTE = 60_000

/** Amounts as fields show them: minutes, and sizes such as `2g`; empty where nothing is said. */
const AMOUNTS = {
  ms: MINUTE,
  turns: 1,
  tokens: 1,
  cost: 1,
  memoryBytes: 1,
  pids: 1,
} as const
export type Amount = keyof typeof AMOUNTS
export const BUDGET_AMOUNTS = ['ms', 'turns', 'tokens', 'cost'] as const
export const LIMIT_AMOUNTS = [...BUDGET_AMOUNTS, 'memoryBytes', 'pids'] as const

/** An amount to be read. */
export const amountWords = (name: Amount, value: number): string =>
  name === 'memoryBytes' ? sizeWords(value) : String(value / AMOUNTS[name])

export type Amounts = Readonly<Partial<Record<Amount, string>>>

/** What is said in one scope, as the fields of a form. */
export interface Draft {
  readonly env: string
  readonly home: string
  readonly sandbox: string
  readonly hosts: string
  readonly ports: string
  readonly browser: string
  readonly limits: Amounts
  readonly session: Amounts
  readonly total: Amounts
}

export function draftOf(own: Environment): Draft {
  return {
    env: Object.entries(own.env ?? {})
      .map(([name, value]) => `${name}=${value}`)
      .join('\n'),
    home: own.home ?? '',
    sandbox: own.sandbox ?? '',
    hosts: (own.hosts ?? []).join('\n'),
    ports: (own.ports ?? []).join(' '),
    browser: own.browser ?? '',
    limits: shown(own.limits),
    session: shown(own.budgets?.session),
    total: shown(own.budgets?.total),
  }
}

const shown = (amounts: Readonly<Partial<Record<Amount, number | undefined>>> = {}): Amounts =>
  Object.fromEntries(
    Object.entries(amounts).map(([name, value = 0]) => [
      name,
      name === 'memoryBytes' ? sizeShort(value) : String(value / AMOUNTS[name as Amount]),
    ]),
  )

/**
 * What of a draft is different from what is said: fields that stay do not go along, emptied ones are taken away.
 *
 * @throws bad_input where a size cannot be read
 */
export function changeOf(own: Environment, draft: Draft): EnvironmentChange {
  const budgets = filled({ session: amountsOf(draft.session), total: amountsOf(draft.total) })
  const next: EnvironmentChange = {
    env: filled(variablesOf(draft.env)),
    home: (draft.home || null) as Environment['home'] | null,
    sandbox: (draft.sandbox || null) as Environment['sandbox'] | null,
    hosts: wordsOf(draft.hosts),
    ports: wordsOf(draft.ports),
    browser: (draft.browser || null) as Environment['browser'] | null,
    limits: amountsOf(draft.limits) ?? null,
    budgets: budgets as Environment['budgets'] | null,
  }
  const before = own as Readonly<Record<string, unknown>>
  const different = Object.entries(next).filter(
    ([name, value]) => JSON.stringify(value ?? null) !== JSON.stringify(before[name] ?? null),
  )
  return Object.fromEntries(different)
}

const filled = <T extends object>(value: T): T | null =>
  Object.values(value).some((each) => each !== undefined) ? value : null

/** A line without `=` names a variable with nothing in it; what is wrong with a name the server says. */
function variablesOf(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const pairs = lines.map((line): [string, string] => {
    const at = line.indexOf('=')
    return at < 0 ? [line.trim(), ''] : [line.slice(0, at).trim(), line.slice(at + 1)]
  })
  return Object.fromEntries(pairs)
}

function wordsOf(text: string): string[] | null {
  const words = text.split(/[\s,]+/).filter((word) => word !== '')
  return words.length === 0 ? null : words
}

function amountsOf(amounts: Amounts): Budget | undefined {
  const said = Object.entries(amounts).filter(([, text]) => text.trim() !== '')
  if (said.length === 0) return undefined
  const exact = (name: string, text: string) => {
    if (name === 'memoryBytes') return sizeOf(text)
    const value = Number(text) * AMOUNTS[name as Amount]
    return name === 'cost' ? value : Math.round(value)
  }
  return Object.fromEntries(said.map(([name, text]) => [name, exact(name, text)]))
}

function sizeOf(text: string): number {
  const bytes = readSize(text)
  if (bytes === null) throw new CarrelError('bad_input', texts.environment.noSize(text))
  return bytes
}
