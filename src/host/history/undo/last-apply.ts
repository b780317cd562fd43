import type { Act, FilePath, PlanRequest } from '../../../model/files/history.ts'
import { sameState } from '../../../model/files/history.ts'
import type { Book } from '../log/book.ts'
import type { PlanContext } from './proposals.ts'

type Source = NonNullable<PlanContext['source']>
type Apply = Act & { readonly applied: number }

/** Last common state of a path in two places: the base of a merge. */
export interface LastApply {
  /** Snapshot of the source place. */
  readonly at: number
  /** True when the applied content was reverted since, other than by an act: that may be intended. */
  readonly putBack: boolean
}

/** Finds the earlier applies from the same project for each path. An apply that was undone does not count. */
export function lastApplies(context: PlanContext, source: Source, request: PlanRequest) {
  const acts = context.acts()
  const applies = acts.filter((act): act is Apply => isFrom(request, act))
  return {
    paths: new Set(applies.flatMap(({ written }) => written)),
    of(path: FilePath): LastApply {
      let putBack = false
      for (const apply of applies) {
        if (!settled(context.book, source.book, apply, path)) continue
        const later = acts.slice(0, acts.indexOf(apply))
        if (later.some((act) => act.written.includes(path) && oldestIn(context, act, path) <= apply.after)) continue
        const before = apply.written.includes(path) ? context.book.stateAt(path, apply.before) : undefined
        if (before === undefined || !sameState(before, context.book.stateAt(path, context.book.newest)))
          return { at: apply.applied, putBack }
        putBack = true
      }
      return { at: source.base, putBack }
    },
  }
}

const isFrom = (request: PlanRequest, act: Act): boolean =>
  request.kind === 'apply' && act.request.kind === 'apply' && act.request.from === request.from && act.applied !== null

/** Whether both places had the whole path in common. Applied single hunks say nothing about the others. */
function settled(here: Book, there: Book, { request, written, after, applied }: Apply, path: FilePath): boolean {
  const whole = written.includes(path) && !request.hunks?.some((chosen) => chosen.path === path)
  return whole || sameState(here.stateAt(path, after), there.stateAt(path, applied))
}

/** Returns the oldest change of a path that an act reverted. An apply reverts nothing. */
function oldestIn({ book, actOf }: PlanContext, { request }: Act, path: FilePath): number {
  if (request.kind === 'apply') return Number.POSITIVE_INFINITY
  if (request.kind === 'restore') return request.to + 1
  const { of } = request
  if (of.kind === 'snapshot') return of.n
  if (of.kind === 'act') return actOf(of.act)?.after ?? 0
  const mine = book.changesBy(of.kind === 'run' ? { run: of.run } : { session: of.session })
  return mine.find((change) => change.path === path)?.n ?? 0
}
