import type { DatabaseSync } from 'node:sqlite'
import { CarrelError } from '../../model/errors.ts'
import { carryOut, type Desk, recover } from './act.ts'
import { openActLog } from './act-log.ts'
import type { History, PlanAsk } from './history.ts'
import type { Point } from './moves.ts'
import type { Place } from './place.ts'
import { makePlan, planDiff } from './plan.ts'
import type { Ground } from './wishes.ts'

/** Plans and acts of all places of a node. */
export interface Acting extends Pick<History, 'plan' | 'planDiff' | 'carryOut' | 'acts'> {
  /** Before anything else happens in a place: an act that a crash cut is finished or taken back. */
  recover(place: Place): Promise<void>
  forget(key: string): void
}

export function openActing(db: DatabaseSync, placeOf: (key: string) => Place, point?: Point): Acting {
  const log = openActLog(db)
  const desk: Desk = { log, point }
  /** In the turn of the place, and of the one that work comes from: always that one first, so that two never wait for each other. */
  const inTurn = async <T>(key: string, ask: PlanAsk, work: (ground: Ground) => Promise<T>): Promise<T> => {
    const { book, run } = placeOf(key)
    const acts = () => log.list(key, { before: null, limit: -1 })
    const ground: Ground = { book, source: null, actOf: (id) => log.get(key, id), acts }
    if (ask.request.kind !== 'apply') return run(() => work(ground))
    if (!ask.source || ask.source.key === key)
      throw new CarrelError('bad_input', 'Only a project with a place of its own can be applied.')
    const { base } = ask.source
    const from = placeOf(ask.source.key)
    return from.run(() => run(() => work({ ...ground, source: { book: from.book, base } })))
  }
  return {
    plan: (key, ask) => inTurn(key, ask, async (ground) => (await makePlan(ground, ask)).plan),
    planDiff: (key, ask, path) => inTurn(key, ask, (ground) => planDiff(ground, ask, path)),
    carryOut: (key, ask, how) => inTurn(key, ask, (ground) => carryOut(ground, ask, how, desk)),
    acts: async (key, page) => log.list(placeOf(key).spec.key, page),
    recover: ({ book, run }) => run(() => recover(book, desk)),
    forget: log.forget,
  }
}
