import type { Carrel } from '../../api/index.ts'
import type { Event } from '../../model/events.ts'
import type { Item } from '../../model/items.ts'
import type { SessionView } from '../../model/view.ts'

/** What following a session tells: an event with what it changed, that all which was there is said, or the end. */
export type Told =
  | {
      readonly kind: 'event'
      readonly event: Event
      readonly json: string
      readonly view: SessionView
      readonly items: readonly Item[]
    }
  | { readonly kind: 'caught-up'; readonly view: SessionView }
  | { readonly kind: 'ended'; readonly reason: string }

export interface FollowFrom {
  readonly workspace: string
  readonly view: SessionView
  readonly items: readonly Item[]
}

/** Follows a session from a view of it, folding each event, so that terminals show what pages show (L9). */
export async function* followSession(
  carrel: Carrel,
  { workspace, view, items }: FollowFrom,
  signal: AbortSignal,
): AsyncGenerator<Told> {
  // Loaded by those commands that follow: each start of the others would wait for them.
  const [{ parseEvent }, { fold }] = await Promise.all([import('../../model/events.ts'), import('../../model/fold.ts')])
  const known = new Map(items.map((item) => [item.n, item]))
  const target = { kind: 'session', workspace, session: view.session, after: view.seq } as const
  let current = view
  for await (const news of carrel.follow([target], signal)) {
    if (news.kind === 'ended') return yield { kind: 'ended', reason: news.reason }
    if (news.kind === 'caught-up') {
      yield { kind: 'caught-up', view: current }
      continue
    }
    if (news.kind === 'files' || news.kind === 'browsers') continue
    const event = parseEvent(JSON.parse(news.json))
    const folded = fold(current, event, (n) => known.get(n))
    current = folded.view
    for (const item of folded.items) known.set(item.n, item)
    yield { kind: 'event', event, json: news.json, view: current, items: toldInOrder(folded.items) }
  }
}

/** What an event changed, in the order a person is told: the end of a run comes after what it interrupted. */
function toldInOrder(items: readonly Item[]): Item[] {
  return [...items].sort((a, b) => Number(a.kind === 'run') - Number(b.kind === 'run'))
}

/** Items of the past in the order a person is told: what began a run, what it did, how it ended. */
export function retold(items: readonly Item[]): Item[] {
  const told: Item[] = []
  let run: Item | null = null
  for (const item of items.toSorted((a, b) => a.n - b.n)) {
    if (item.kind !== 'run') {
      told.push(item)
      continue
    }
    if (run) told.push(run)
    run = item.outcome === null ? null : item
    told.push(item.outcome === null ? item : { ...item, state: 'started', outcome: null })
  }
  return run ? [...told, run] : told
}
