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
}

export function fromPage(id: string, page: Output<'sessions.view'>): SessionData {
  const { view, head, more } = page
  return { id, view, items: merged([], page.items), head, more, caughtUp: false, ended: false }
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
  const head = data.head && ((changed.get(data.head.n) as RunItem | undefined) ?? data.head)
  // It is no item of the list: older ones are asked for by the oldest that is.
  if (head) changed.delete(head.n)
  return { ...data, view, head, items: merged(data.items, [...changed.values()]) }
}

/** Adds a page of older items, in whatever order they came. The stream may have told more of the head than the page knows. */
export function withOlder({ head, ...data }: SessionData, page: Output<'sessions.items'>): SessionData {
  const items = merged(data.items, page.items)
  const { more } = page
  if (!head) return { ...data, items, head: page.head, more }
  if (find(items, head.n)) return { ...data, items: merged(items, [head]), head: page.head, more }
  return { ...data, items, head: page.head?.n === head.n && page.head.seq < head.seq ? head : page.head, more }
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
