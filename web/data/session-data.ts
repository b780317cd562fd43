import type { Output } from '../../src/api/index.ts'
import type { Event } from '../../src/model/events.ts'
import { fold } from '../../src/model/fold.ts'
import type { Item, RunItem } from '../../src/model/items.ts'
import type { SessionView } from '../../src/model/view.ts'

/** What the page knows of one session: its view, and its items from some point on to the newest. Never changed in place. */
export interface SessionData {
  readonly id: string
  readonly view: SessionView
  /** Ordered by `n`, oldest first. */
  readonly items: readonly Item[]
  /** The run that the oldest of them is part of, where its own item is older and so not among them. */
  readonly head: RunItem | null
  /** Older items exist at the server. */
  readonly more: boolean
  /** Everything the server had is here. False again after a cut. */
  readonly caughtUp: boolean
  /** The log is gone: the session was deleted. */
  readonly ended: boolean
  /** What the stream has told since an older page was asked for, oldest first; null while none is on its way. */
  readonly since: readonly Event[] | null
}

/** Whoever reads the newest items has no more than the first of them in memory, and then only the second. */
export const MOST_ITEMS = 300
export const KEPT_ITEMS = 200

export function fromPage(id: string, page: Output<'sessions.view'>): SessionData {
  const { view, head, more } = page
  return { id, view, items: merged([], page.items), head, more, caughtUp: false, ended: false, since: null }
}

/**
 * Folds events into the data. An item that came with an older page may be ahead of the stream; what it already has
 * is not folded into it again, so pages and events may overlap in any way.
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
  // It is no item of the list: older ones are asked for by the oldest that is.
  if (head) changed.delete(head.n)
  return { ...data, view, head, items: merged(data.items, [...changed.values()]), since }
}

/**
 * Adds a page of older items, in whatever order they came. `asked` is the data it was asked for from. What the stream
 * has told meanwhile may be about items of the page, which were not at hand then: it is folded over them once more.
 */
export function withOlder(data: SessionData, asked: SessionData, page: Output<'sessions.items'>): SessionData {
  const joined = { ...asked, items: merged(asked.items, page.items), head: page.head }
  const { items, head } = withEvents(joined, data.since ?? [])
  return { ...data, items, head, more: page.more, since: null }
}

/**
 * Lets the oldest items go where there are many. They come again like all older ones; what happens to them meanwhile
 * is left alone, since a page is always as of the head.
 */
export function withNewest(data: SessionData, most: number, kept: number): SessionData {
  if (data.items.length <= most) return data
  const items = data.items.slice(-kept)
  return { ...data, items, head: headOf(data, items[0]), more: true }
}

/** The run that an item is part of, where it is not that run itself. */
function headOf({ items, head }: SessionData, part: Item | undefined): RunItem | null {
  if (!part?.run || part.kind === 'run') return null
  const run = items.findLast((item) => item.kind === 'run' && item.n < part.n) ?? head
  return run?.kind === 'run' && run.run === part.run ? run : null
}

/** Both lists as one in order of `n`; where both have an item, the one that knows more stays. */
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

export function find(items: readonly Item[], n: number): Item | undefined {
  const item = items[place(items, n)]
  return item?.n === n ? item : undefined
}

/** The index of the first item whose `n` is not below the given one. */
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
