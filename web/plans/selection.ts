import { onlyLeft } from '../../src/model/files/conflicts.ts'
import type { Plan, PlanEntry, PlanRequest } from '../../src/model/files/history.ts'

/** The decisions of a person on the entries of a plan. */
export interface Selection {
  readonly without: ReadonlySet<string>
  /** Hunks to include, for paths with several. Other paths are included whole. */
  readonly hunks: Readonly<Record<string, readonly number[]>>
  readonly decisions: Readonly<Record<string, 'overwrite' | 'leave'>>
}

export const NO_SELECTION: Selection = { without: new Set(), hunks: {}, decisions: {} }

/** Returns the request for the selected part of a plan: the same object while everything is selected. */
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

/** Returns the decision on an entry. An entry that cannot be overwritten is left unchanged without a decision. */
export const decisionOf = (entry: PlanEntry, { decisions }: Selection): 'overwrite' | 'leave' | undefined =>
  onlyLeft(entry) ? 'leave' : decisions[entry.path]

export interface Verdict {
  readonly overwrite: readonly string[]
  readonly leave: readonly string[]
  /** The number of undecided conflicts. */
  readonly open: number
  /** The number of files that would be written. */
  readonly writes: number
}

export function verdictOf(plan: Plan, selection: Selection): Verdict {
  const { asks, merges, writes } = groupsOf(plan)
  const of = (wanted: 'overwrite' | 'leave' | undefined) =>
    asks.filter((entry) => decisionOf(entry, selection) === wanted).map(({ path }) => path)
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

/** Returns the difference between the plan on the screen and the current plan. */
export function differenceOf(before: Plan, after: Plan): Difference {
  const was = new Map(before.entries.map((entry) => [entry.path, JSON.stringify(entry)]))
  const is = new Map(after.entries.map((entry) => [entry.path, JSON.stringify(entry)]))
  return {
    added: [...is.keys()].filter((path) => !was.has(path)),
    gone: [...was.keys()].filter((path) => !is.has(path)),
    changed: [...is].filter(([path, entry]) => was.has(path) && was.get(path) !== entry).map(([path]) => path),
  }
}

/** Returns the decisions that are still valid: a changed entry needs a new decision. */
export function stillDecided(selection: Selection, { added, gone, changed }: Difference): Selection {
  const stale = new Set([...added, ...gone, ...changed])
  return {
    ...selection,
    hunks: Object.fromEntries(Object.entries(selection.hunks).filter(([path]) => !stale.has(path))),
    decisions: Object.fromEntries(Object.entries(selection.decisions).filter(([path]) => !stale.has(path))),
  }
}
