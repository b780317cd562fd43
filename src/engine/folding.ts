import { type Event, parseEvent } from '../model/events.ts'
import { fold, foldAll } from '../model/fold.ts'
import type { SessionId } from '../model/ids.ts'
import type { Item, RunItem } from '../model/items.ts'
import { emptyView, liveItems, type SessionView } from '../model/view.ts'
import type { FoldWrite, Line, Store } from '../store/store.ts'

const PAGE = 1_000

/** A session as it is at the head of its log: what is stored, and the tail folded over it. */
export interface Loaded {
  readonly view: SessionView
  /** Items that later events may still change, and all that the tail changed. */
  readonly items: Map<number, Item>
  /** Changed by the tail, so not yet stored as they are. */
  readonly dirty: Map<number, Item>
  /** Up to where the stored fold reaches. */
  readonly storedSeq: number
}

export const eventOf = (line: Line): Event => parseEvent(JSON.parse(line.json))

/** Loads a session's fold and brings it to the head of the log. */
export async function loadFold(store: Store, session: SessionId): Promise<Loaded> {
  const stored = await store.log.fold(session)
  const view = stored?.view ?? emptyView(session)
  const items = new Map<number, Item>()
  if (stored) for (const item of await store.log.itemsByN(session, liveItems(view))) items.set(item.n, item)
  const dirty = new Map<number, Item>()
  const head = await foldTail(store, view, items, dirty)
  return { view: head, items, dirty, storedSeq: view.seq }
}

/** Folds everything after `view.seq` into `items`; what changed is put into `dirty`. Returns the view at the head. */
export async function foldTail(
  store: Store,
  view: SessionView,
  items: Map<number, Item>,
  dirty: Map<number, Item>,
  seen?: (event: Event) => void,
): Promise<SessionView> {
  let current = view
  for (;;) {
    const lines = await store.log.read(view.session, current.seq, PAGE)
    for (const line of lines) {
      const event = eventOf(line)
      const folded = fold(current, event, (n) => items.get(n))
      for (const item of folded.items) {
        items.set(item.n, item)
        dirty.set(item.n, item)
      }
      current = folded.view
      seen?.(event)
    }
    if (lines.length < PAGE) return current
  }
}

/**
 * The newest items below `before` as they are at the head of the log, oldest first.
 * Stored rows are as of the fold's mark; the tail's changes are laid over them, so no reader ever sees an older state.
 */
export async function readItems(
  store: Store,
  session: SessionId,
  before: number | null,
  limit: number,
): Promise<{ view: SessionView; items: Item[]; head: RunItem | null; more: boolean }> {
  const loaded = await loadFold(store, session)
  const stored = await store.log.items(session, before, limit + 1)
  const changed = [...loaded.dirty.values()].filter(({ n }) => before === null || n < before)
  const found = newestOf(stored, changed, limit + 1)
  const items = found.slice(-limit)
  return { view: loaded.view, items, head: await headOf(store, loaded, items[0]), more: found.length > limit }
}

/** The item of the run that an item is part of, as it is at the head of the log; null for what is that item, or of no run. */
async function headOf(store: Store, { view, items }: Loaded, part: Item | undefined): Promise<RunItem | null> {
  if (!part?.run || part.kind === 'run') return null
  const n = await store.log.lastAdmitted(view.session, part.n)
  if (n === null) return null
  const head = items.get(n) ?? (await store.log.itemsByN(view.session, [n]))[0]
  // What came late, from a run before that one, stands below another head than its own.
  return head?.kind === 'run' && head.run === part.run ? head : null
}

/** Stored items with those over them that were changed since; the newest of them, oldest first. */
export function newestOf(stored: Iterable<Item>, changed: Iterable<Item>, limit: number): Item[] {
  const merged = new Map([...stored, ...changed].map((item) => [item.n, item]))
  return [...merged.values()].sort((a, b) => a.n - b.n).slice(-limit)
}

/** Makes the fold of a session again from its log, as it would be stored. */
export async function refold(store: Store, session: SessionId): Promise<FoldWrite> {
  const items = new Map<number, Item>()
  let view = emptyView(session)
  for (;;) {
    const lines = await store.log.read(session, view.seq, PAGE)
    view = foldAll(view, lines.map(eventOf), items).view
    if (lines.length < PAGE) return { seq: view.seq, view, items: [...items.values()] }
  }
}
