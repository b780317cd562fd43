import type { DatabaseSync } from 'node:sqlite'
import { CarrelError } from '../../model/errors.ts'
import { applyPlan, type Desk, recover } from './act.ts'
import { openActLog } from './act-log.ts'
import type { Book } from './book.ts'
import type { History, PlanAsk } from './history.ts'
import type { Point } from './moves.ts'
import type { Place } from './place.ts'
import { makePlan, planDiff } from './plan.ts'
import type { Ground } from './wishes.ts'

/** Plans and acts of all places of a node. */
export interface Acting extends Pick<History, 'plan' | 'planDiff' | 'applyPlan' | 'acts'> {
  /** In the turn of a place, before anything else happens there: an act that was cut is finished or taken back. */
  settle(book: Book): Promise<void>
  forget(key: string): void
}

export function openActing(db: DatabaseSync, placeOf: (key: string) => Place, point?: Point): Acting {
  const log = openActLog(db)
  const desk: Desk = { log, point }
  const settle = (book: Book) => recover(book, desk)
  const settled = <T>({ book, run }: Place, job: () => Promise<T>): Promise<T> =>
    run(async () => {
      await settle(book)
      return job()
    })
  /** In the turn of the place, and of the one that work comes from: always that one first, so that two never wait for each other. */
  const inTurn = async <T>(key: string, ask: PlanAsk, work: (ground: Ground) => Promise<T>): Promise<T> => {
    const { book } = placeOf(key)
    const run = <R>(job: () => Promise<R>) => settled(placeOf(key), job)
    const acts = () => log.list(key, { before: null, limit: -1 })
    const ground: Ground = { book, source: null, actOf: (id) => log.get(key, id), acts }
    if (ask.request.kind !== 'apply') return run(() => work(ground))
    if (!ask.source || ask.source.key === key)
      throw new CarrelError('bad_input', 'Only a project with a place of its own can be applied.')
    const { base } = ask.source
    const from = placeOf(ask.source.key)
    return settled(from, () => run(() => work({ ...ground, source: { book: from.book, base } })))
  }
  return {
    plan: (key, ask) => inTurn(key, ask, async (ground) => (await makePlan(ground, ask)).plan),
    planDiff: (key, ask, path) => inTurn(key, ask, (ground) => planDiff(ground, ask, path)),
    applyPlan: (key, ask, how) => inTurn(key, ask, (ground) => applyPlan(ground, ask, how, desk)),
    acts: async (key, page) => log.list(placeOf(key).spec.key, page),
    settle,
    forget: log.forget,
  }
}
