import type { Act, FilePath, PlanRequest } from '../../model/history.ts'
import { sameState } from '../../model/history.ts'
import type { Book } from './book.ts'
import type { Ground } from './wishes.ts'

type Source = NonNullable<Ground['source']>
type Apply = Act & { readonly applied: number }

/** Where two places had the same last, path by path: a merge of both begins there. */
export interface LastApply {
  /** Snapshot of the place that work comes from. */
  readonly at: number
  /** What the act brought was put back since, not by an act: somebody may want it so. */
  readonly putBack: boolean
}

/** What earlier applies from the same project say about its paths. An apply that was taken back counts no more. */
export function lastApplies(ground: Ground, source: Source, request: PlanRequest) {
  const acts = ground.acts()
  const applies = acts.filter((act): act is Apply => isFrom(request, act))
  return {
    paths: new Set(applies.flatMap(({ written }) => written)),
    of(path: FilePath): LastApply {
      let putBack = false
      for (const apply of applies) {
        if (!settled(ground.book, source.book, apply, path)) continue
        const later = acts.slice(0, acts.indexOf(apply))
        if (later.some((act) => act.written.includes(path) && oldestIn(ground, act, path) <= apply.after)) continue
        const before = apply.written.includes(path) ? ground.book.stateAt(path, apply.before) : undefined
        if (before === undefined || !sameState(before, ground.book.stateAt(path, ground.book.newest)))
          return { at: apply.applied, putBack }
        putBack = true
      }
      return { at: source.base, putBack }
    },
  }
}

const isFrom = (request: PlanRequest, act: Act): boolean =>
  request.kind === 'apply' && act.request.kind === 'apply' && act.request.from === request.from && act.applied !== null

/** All of the path was in both places then: the same, or merged. Of single hunks nobody knows where the others began. */
function settled(here: Book, there: Book, { request, written, after, applied }: Apply, path: FilePath): boolean {
  const whole = written.includes(path) && !request.hunks?.some((chosen) => chosen.path === path)
  return whole || sameState(here.stateAt(path, after), there.stateAt(path, applied))
}

/** The oldest change of a path that an act took back. An apply takes nothing back. */
function oldestIn({ book, actOf }: Ground, { request }: Act, path: FilePath): number {
  if (request.kind === 'apply') return Number.POSITIVE_INFINITY
  if (request.kind === 'restore') return request.to + 1
  const { of } = request
  if (of.kind === 'snapshot') return of.n
  if (of.kind === 'act') return actOf(of.act)?.after ?? 0
  const mine = book.changesBy(of.kind === 'run' ? { run: of.run } : { session: of.session })
  return mine.find((change) => change.path === path)?.n ?? 0
}
