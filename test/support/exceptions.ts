import type { Complaint } from './house-rules.ts'

/** Offenders that a rule tolerates, with the figure of each: lines, parameters or files. */
export type Exceptions = Readonly<Record<string, number>>

/**
 * Compares the offenders of a rule with its exceptions, which may only shrink. A new offender, one that grew, and an
 * exception that is no longer needed are complaints.
 */
export function judge(found: Exceptions, allowed: Exceptions): Complaint[] {
  const worse = Object.entries(found).flatMap(([key, figure]) => {
    const limit = Object.hasOwn(allowed, key) ? (allowed[key] ?? 0) : 0
    return figure > limit ? [`${key}: ${figure}${limit > 0 ? `, where ${limit} was tolerated` : ''}.`] : []
  })
  const better = Object.entries(allowed).flatMap(([key, limit]) => {
    const figure = Object.hasOwn(found, key) ? (found[key] ?? 0) : 0
    if (figure >= limit) return []
    return [`${key}: the exception of ${limit} is out of date: ${figure > 0 ? `make it ${figure}` : 'remove it'}.`]
  })
  return [...worse, ...better]
}
