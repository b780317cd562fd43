import { messageOf } from '../../primitives/message-of.ts'
import { badInput } from './problem.ts'

/** Removes undefined fields, since a schema treats an absent field and `undefined` differently. */
export function given<T extends Record<string, unknown>>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, '': 1_000 }

/** Parses `90`, `90s`, `10m`, `2h` or `500ms`; a bare number is seconds. Returns ms. @throws bad_input */
export function duration(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|)$/.exec(text.trim()) ?? []
  const ms = Number(amount) * (UNITS[unit ?? ''] ?? Number.NaN)
  if (!Number.isFinite(ms)) throw badInput(`${JSON.stringify(text)} is not a duration. Use 90s, 10m or 2h.`)
  return Math.round(ms)
}

/** Parses a whole number of at least 0. @throws bad_input */
export function count(text: string): number {
  if (!/^\d+$/.test(text)) throw badInput(`${JSON.stringify(text)} is not a whole number.`)
  return Number(text)
}

/** Collects `key=value` options; `true` and `false` become booleans, as agents expect. @throws bad_input */
export function keyValue(text: string, before: Record<string, string | boolean> = {}) {
  const at = text.indexOf('=')
  if (at < 1) throw badInput(`${JSON.stringify(text)} must look like name=value.`)
  const value = text.slice(at + 1)
  return { ...before, [text.slice(0, at)]: value === 'true' ? true : value === 'false' ? false : value }
}

export const collect = (value: string, before: string[] = []): string[] => [...before, value]

/** Parses a JSON object. @throws bad_input */
export function jsonObject(text: string, what: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw badInput(`${what} is not JSON (${messageOf(error)}). Quote JSON for your shell: '{"name": "value"}'.`)
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw badInput(`${what} must be a JSON object, like '{"name": "value"}'.`)
  return value as Record<string, unknown>
}
