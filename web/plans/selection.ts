import { onlyLeft } from '../../src/model/conflicts.ts'
import type { Plan, PlanEntry, PlanRequest } from '../../src/model/history.ts'

/** What a person said about the entries of a plan. */
export interface Selection {
  /** Paths that are not to be taken along. */
  readonly without: ReadonlySet<string>
  /** Of a path only these parts. */
  readonly hunks: Readonly<Record<string, readonly number[]>>
  readonly said: Readonly<Record<string, 'overwrite' | 'leave'>>
}

export const NOTHING_SAID: Selection = { without: new Set(), hunks: {}, said: {} }

/** The request for what is ticked: the same one while all of it is. */
export function narrowed(request: PlanRequest, plan: Plan, { without, hunks }: Selection): PlanRequest {
  const parts = Object.entries(hunks).map(([path, indexes]) => ({ path, indexes: [...indexes] }))
  if (without.size === 0 && parts.length === 0) return request
  const paths = plan.entries.map(({ path }) => path).filter((path) => !without.has(path))
  const others = (request.hunks ?? []).filter(({ path }) => !hunks[path])
  return {
    ...request,
    ...(without.size > 0 && { paths }),
    ...(parts.length + others.length > 0 && { hunks: [...others, ...parts] }),
  }
}

export interface Groups {
  readonly asks: readonly PlanEntry[]
  readonly merges: readonly PlanEntry[]
  readonly writes: readonly PlanEntry[]
}

export function groupsOf(plan: Plan): Groups {
  const asks = plan.entries.filter(({ conflicts }) => conflicts.length > 0)
  const free = plan.entries.filter(({ conflicts }) => conflicts.length === 0)
  return {
    asks,
    merges: free.filter(({ how }) => how === 'merge'),
    writes: free.filter(({ how }) => how !== 'merge'),
  }
}

/** What was said about an entry; what cannot be overwritten is left without a word. */
export const saidOf = (entry: PlanEntry, { said }: Selection): 'overwrite' | 'leave' | undefined =>
  onlyLeft(entry) ? 'leave' : said[entry.path]

export interface Verdict {
  readonly overwrite: readonly string[]
  readonly leave: readonly string[]
  /** Conflict paths that nobody spoke of yet. */
  readonly open: number
  /** How many files would be written. */
  readonly writes: number
}

export function verdictOf(plan: Plan, selection: Selection): Verdict {
  const { asks, merges, writes } = groupsOf(plan)
  const of = (wanted: 'overwrite' | 'leave' | undefined) =>
    asks.filter((entry) => saidOf(entry, selection) === wanted).map(({ path }) => path)
  const overwrite = of('overwrite')
  return {
    overwrite,
    leave: of('leave'),
    open: of(undefined).length,
    writes: overwrite.length + merges.length + writes.length,
  }
}

export interface Difference {
  readonly added: readonly string[]
  readonly gone: readonly string[]
  readonly changed: readonly string[]
}

/** What became different between the plan that was looked at and the one that is now. */
export function differenceOf(before: Plan, after: Plan): Difference {
  const was = new Map(before.entries.map((entry) => [entry.path, JSON.stringify(entry)]))
  const is = new Map(after.entries.map((entry) => [entry.path, JSON.stringify(entry)]))
  return {
    added: [...is.keys()].filter((path) => !was.has(path)),
    gone: [...was.keys()].filter((path) => !is.has(path)),
    changed: [...is].filter(([path, entry]) => was.has(path) && was.get(path) !== entry).map(([path]) => path),
  }
}

/** Words about an entry hold only for that entry: what changed is asked again. */
export function stillSaid(selection: Selection, { added, gone, changed }: Difference): Selection {
  const stale = new Set([...added, ...gone, ...changed])
  return {
    ...selection,
    hunks: Object.fromEntries(Object.entries(selection.hunks).filter(([path]) => !stale.has(path))),
    said: Object.fromEntries(Object.entries(selection.said).filter(([path]) => !stale.has(path))),
  }
}
