import type { Carrel } from '../../api/index.ts'
import type { Event } from '../../model/events/events.ts'
import type { Item } from '../../model/events/items.ts'
import type { SessionView } from '../../model/events/view.ts'

/** Message of a followed session: an event with the changed items, the end of the past events, or the end of the log. */
export type FollowedChange =
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

/** Follows a session from a view and folds each event, so that terminals and pages show the same (L9). */
export async function* followSession(
  carrel: Carrel,
  { workspace, view, items }: FollowFrom,
  signal: AbortSignal,
): AsyncGenerator<FollowedChange> {
  // Imported here: a static import would slow every start of the other commands.
  const [{ parseEvent }, { fold }] = await Promise.all([
    import('../../model/events/events.ts'),
    import('../../model/events/fold.ts'),
  ])
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
    yield { kind: 'event', event, json: news.json, view: current, items: runLast(folded.items) }
  }
}

/** Sorts the changed items of an event for display: the end of a run comes after the items that it interrupted. */
const runLast = (items: readonly Item[]): Item[] =>
  [...items].sort((a, b) => Number(a.kind === 'run') - Number(b.kind === 'run'))

/** Orders past items for display: the prompt of a run, its items, then its end. */
export function displayOrder(items: readonly Item[]): Item[] {
  const ordered: Item[] = []
  let run: Item | null = null
  for (const item of items.toSorted((a, b) => a.n - b.n)) {
    if (item.kind !== 'run') {
      ordered.push(item)
      continue
    }
    if (run) ordered.push(run)
    run = item.outcome === null ? null : item
    ordered.push(item.outcome === null ? item : { ...item, state: 'started', outcome: null })
  }
  return run ? [...ordered, run] : ordered
}
