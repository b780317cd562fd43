import { CarrelError } from '../../src/model/errors.ts'
import type { Budget, Environment, EnvironmentChange } from '../../src/model/settings/environment.ts'
import { readSize, sizeShort, sizeWords } from '../../src/model/settings/sizes.ts'
import { texts } from '../texts/texts.ts'

const MINUTE = 60_000

/** Units of amounts in fields: minutes, and sizes such as `2g`. An empty field is inherited. */
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

/** Returns an amount as text for a reader. */
export const amountText = (name: Amount, value: number): string =>
  name === 'memoryBytes' ? sizeWords(value) : String(value / AMOUNTS[name])

export type Amounts = Readonly<Partial<Record<Amount, string>>>

/** The settings of one scope, as the fields of a form. */
export interface SettingsDraft {
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

export function draftOf(own: Environment): SettingsDraft {
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
 * Returns the changed fields of a draft only. An emptied field removes its setting.
 *
 * @throws CarrelError `bad_input` for an unreadable size
 */
export function changeOf(own: Environment, draft: SettingsDraft): EnvironmentChange {
  const budgets = filled({ session: amountsOf(draft.session), total: amountsOf(draft.total) })
  const next: EnvironmentChange = {
    env: filled(variablesOf(draft.env)),
    home: (draft.home || null) as Environment['home'] | null,
    sandbox: (draft.sandbox || null) as Environment['sandbox'] | null,
    hosts: namesOf(draft.hosts),
    ports: namesOf(draft.ports),
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

/** Returns the variables of a text. A line without `=` is an empty variable. The server checks the names. */
function variablesOf(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const pairs = lines.map((line): [string, string] => {
    const at = line.indexOf('=')
    return at < 0 ? [line.trim(), ''] : [line.slice(0, at).trim(), line.slice(at + 1)]
  })
  return Object.fromEntries(pairs)
}

function namesOf(text: string): string[] | null {
  const names = text.split(/[\s,]+/).filter((name) => name !== '')
  return names.length === 0 ? null : names
}

function amountsOf(amounts: Amounts): Budget | undefined {
  const given = Object.entries(amounts).filter(([, text]) => text.trim() !== '')
  if (given.length === 0) return undefined
  const exact = (name: string, text: string) => {
    if (name === 'memoryBytes') return sizeOf(text)
    const value = Number(text) * AMOUNTS[name as Amount]
    return name === 'cost' ? value : Math.round(value)
  }
  return Object.fromEntries(given.map(([name, text]) => [name, exact(name, text)]))
}

function sizeOf(text: string): number {
  const bytes = readSize(text)
  if (bytes === null) throw new CarrelError('bad_input', texts.environment.notASize(text))
  return bytes
}
