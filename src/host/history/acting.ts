import type { DatabaseSync } from 'node:sqlite'
import { CarrelError } from '../../model/errors.ts'
import type { History, PlanAsk } from './history.ts'
import type { Book } from './log/book.ts'
import type { OpenPlace } from './place.ts'
import { applyPlan, type Journal, recover } from './undo/act.ts'
import { openActLog } from './undo/act-log.ts'
import type { CrashPoint } from './undo/moves.ts'
import { makePlan, planDiff } from './undo/plan.ts'
import type { PlanContext } from './undo/proposals.ts'

/** Plans and acts of all places of a node. */
export interface Acting extends Pick<History, 'plan' | 'planDiff' | 'applyPlan' | 'acts'> {
  /** Finishes or rolls back an interrupted act, in the turn of its place, before anything else happens there. */
  settle(book: Book): Promise<void>
  forget(key: string): void
}

export function openActing(db: DatabaseSync, placeOf: (key: string) => OpenPlace, point?: CrashPoint): Acting {
  const log = openActLog(db)
  const journal: Journal = { log, point }
  const settle = (book: Book) => recover(book, journal)
  const settled = <T>({ book, run }: OpenPlace, job: () => Promise<T>): Promise<T> =>
    run(async () => {
      await settle(book)
      return job()
    })
  /** Runs in the turn of the place and of the source, locked first, so that two plans never deadlock. */
  const inTurn = async <T>(key: string, ask: PlanAsk, work: (context: PlanContext) => Promise<T>): Promise<T> => {
    const { book } = placeOf(key)
    const run = <R>(job: () => Promise<R>) => settled(placeOf(key), job)
    const acts = () => log.list(key, { before: null, limit: -1 })
    const context: PlanContext = { book, source: null, actOf: (id) => log.get(key, id), acts }
    if (ask.request.kind !== 'apply') return run(() => work(context))
    if (!ask.source || ask.source.key === key)
      throw new CarrelError('bad_input', 'Only a project with its own working copy can be applied.')
    const { base } = ask.source
    const from = placeOf(ask.source.key)
    return settled(from, () => run(() => work({ ...context, source: { book: from.book, base } })))
  }
  return {
    plan: (key, ask) => inTurn(key, ask, async (context) => (await makePlan(context, ask)).plan),
    planDiff: (key, ask, path) => inTurn(key, ask, (context) => planDiff(context, ask, path)),
    applyPlan: (key, ask, how) => inTurn(key, ask, (context) => applyPlan(context, ask, how, journal)),
    acts: async (key, page) => log.list(placeOf(key).spec.key, page),
    settle,
    forget: log.forget,
  }
}
