import type { Output } from '../../src/api/index.ts'
import type { Event } from '../../src/model/events/events.ts'
import { fold } from '../../src/model/events/fold.ts'
import type { Item, RunItem } from '../../src/model/events/items.ts'
import type { SessionView } from '../../src/model/events/view.ts'

/** The loaded part of a session: its view, and its items from some point to the newest. Immutable. */
export interface SessionData {
  readonly id: string
  readonly view: SessionView
  /** Ordered by `n`, oldest first. */
  readonly items: readonly Item[]
  /** The run that the oldest item belongs to, if the run's own item is older and not loaded. */
  readonly head: RunItem | null
  /** The server has older items. */
  readonly more: boolean
  /** The stream has delivered the whole log. False again after a cut. */
  readonly caughtUp: boolean
  /** The log has ended: the session was deleted. */
  readonly ended: boolean
  /** Events that the stream delivered since an older page was requested, oldest first. Null without such a request. */
  readonly since: readonly Event[] | null
}

/** A reader at the newest item keeps at most `MOST_ITEMS` in memory, and after a release `KEPT_ITEMS`. */
export const MOST_ITEMS = 300
export const KEPT_ITEMS = 200

export function fromPage(id: string, page: Output<'sessions.view'>): SessionData {
  const { view, head, more } = page
  return { id, view, items: merged([], page.items), head, more, caughtUp: false, ended: false, since: null }
}

/**
 * Folds events into the data. An item of an older page may be ahead of the stream: an event that it already contains
 * is not folded into it again. Pages and events may therefore overlap in any way.
 */
export function withEvents(data: SessionData, events: readonly Event[]): SessionData {
  const changed = new Map<number, Item>()
  let view = data.view
  for (const event of events) {
    const folded = fold(view, event, (n) => {
      const item = changed.get(n) ?? (n === data.head?.n ? data.head : find(data.items, n))
      return item && item.seq < event.seq ? item : undefined
    })
    view = folded.view
    for (const item of folded.items) changed.set(item.n, item)
  }
  if (view === data.view) return data
  const since = data.since && [...data.since, ...events]
  const head = data.head && ((changed.get(data.head.n) as RunItem | undefined) ?? data.head)
  // The head is not an item of the list: the oldest item of the list is the cursor for older pages.
  if (head) changed.delete(head.n)
  return { ...data, view, head, items: merged(data.items, [...changed.values()]), since }
}

/**
 * Adds a page of older items, in any order of arrival. `asked` is the data at the time of the request. Events since
 * then may concern items of the page that were not loaded, so they are folded over the page once more.
 */
export function withOlder(data: SessionData, asked: SessionData, page: Output<'sessions.items'>): SessionData {
  const joined = { ...asked, items: merged(asked.items, page.items), head: page.head }
  const { items, head } = withEvents(joined, data.since ?? [])
  return { ...data, items, head, more: page.more, since: null }
}

/**
 * Releases the oldest items of a long list. They load again like all older items. Events for them in the meantime can
 * be ignored: a page is always as of the head.
 */
export function withNewest(data: SessionData, most: number, kept: number): SessionData {
  if (data.items.length <= most) return data
  const items = data.items.slice(-kept)
  return { ...data, items, head: headOf(data, items[0]), more: true }
}

/** Returns the run that an item belongs to, or null if the item is the run itself. */
function headOf({ items, head }: SessionData, part: Item | undefined): RunItem | null {
  if (!part?.run || part.kind === 'run') return null
  const run = items.findLast((item) => item.kind === 'run' && item.n < part.n) ?? head
  return run?.kind === 'run' && run.run === part.run ? run : null
}

/** Merges two lists in order of `n`. Of two versions of an item the newer one stays. */
export function merged(have: readonly Item[], come: readonly Item[]): readonly Item[] {
  if (come.length === 0) return have
  const next = have.slice()
  const fresh: Item[] = []
  for (const item of come) {
    const at = place(next, item.n)
    const known = next[at]
    if (known?.n !== item.n) fresh.push(item)
    else if (item.seq >= known.seq) next[at] = item
  }
  if (fresh.length === 0) return next
  fresh.sort((a, b) => a.n - b.n)
  const last = next.at(-1)
  if (!last || last.n < fresh[0]!.n) return [...next, ...fresh]
  if (fresh.at(-1)!.n < next[0]!.n) return [...fresh, ...next]
  return [...next, ...fresh].sort((a, b) => a.n - b.n)
}

function find(items: readonly Item[], n: number): Item | undefined {
  const item = items[place(items, n)]
  return item?.n === n ? item : undefined
}

/** Returns the index of the first item whose `n` is not below the given one. */
function place(items: readonly Item[], n: number): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (items[middle]!.n < n) low = middle + 1
    else high = middle
  }
  return low
}
