import { type Event, parseEvent } from '../model/events/events.ts'
import { fold } from '../model/events/fold.ts'
import type { Item, RunItem } from '../model/events/items.ts'
import { emptyView, liveItems, type SessionView } from '../model/events/view.ts'
import type { SessionId } from '../model/ids.ts'
import { createPacer } from '../primitives/pacer.ts'
import type { FoldWrite, Line, Store } from '../store/store.ts'

const PAGE = 1_000

/** A session at the head of its log: the stored fold with the tail of the log folded over it. */
export interface Loaded {
  readonly view: SessionView
  /** Items that later events may still change, and all items that the tail changed. */
  readonly items: Map<number, Item>
  /** Items that the tail changed, which the store does not have yet in this state. */
  readonly dirty: Map<number, Item>
  /** The last event of the stored fold. */
  readonly storedSeq: number
}

export const eventOf = (line: Line): Event => parseEvent(JSON.parse(line.json))

export async function loadFold(store: Store, session: SessionId): Promise<Loaded> {
  const stored = await store.log.fold(session)
  const view = stored?.view ?? emptyView(session)
  const items = new Map<number, Item>()
  if (stored) for (const item of await store.log.itemsByN(session, liveItems(view))) items.set(item.n, item)
  const dirty = new Map<number, Item>()
  const head = await foldTail(store, view, items, dirty)
  return { view: head, items, dirty, storedSeq: view.seq }
}

/** Folds all events after `view.seq` into `items`, and puts changed items into `dirty`. Returns the view at the head. */
export async function foldTail(
  store: Store,
  view: SessionView,
  items: Map<number, Item>,
  dirty: Map<number, Item>,
): Promise<SessionView> {
  const breathe = createPacer()
  let current = view
  for (;;) {
    const lines = await store.log.read(view.session, current.seq, PAGE)
    for (const line of lines) {
      current = foldOne(current, eventOf(line), items, dirty)
      const turn = breathe()
      if (turn) await turn
    }
    if (lines.length < PAGE) return current
  }
}

export function foldOne(
  view: SessionView,
  event: Event,
  items: Map<number, Item>,
  dirty: Map<number, Item>,
): SessionView {
  const folded = fold(view, event, (n) => items.get(n))
  for (const item of folded.items) {
    items.set(item.n, item)
    dirty.set(item.n, item)
  }
  return folded.view
}

/**
 * Reads the newest items below `before` (null: of all) as they are at the head of the log, oldest first. The changes
 * of the tail are laid over the stored rows, so that no reader sees an older state.
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

/** The run item of the run that an item belongs to; null for a run item itself, and for items of no run. */
async function headOf(store: Store, { view, items }: Loaded, part: Item | undefined): Promise<RunItem | null> {
  if (!part?.run || part.kind === 'run') return null
  const n = await store.log.lastAdmitted(view.session, part.n)
  if (n === null) return null
  const head = items.get(n) ?? (await store.log.itemsByN(view.session, [n]))[0]
  // An item that arrived late may stand behind the head of a later run.
  return head?.kind === 'run' && head.run === part.run ? head : null
}

export function newestOf(stored: Iterable<Item>, changed: Iterable<Item>, limit: number): Item[] {
  const merged = new Map([...stored, ...changed].map((item) => [item.n, item]))
  return [...merged.values()].sort((a, b) => a.n - b.n).slice(-limit)
}

/** Makes the fold of a session anew from its log, in the form that is stored. */
export async function refold(store: Store, session: SessionId): Promise<FoldWrite> {
  const items = new Map<number, Item>()
  const view = await foldTail(store, emptyView(session), items, new Map())
  return { seq: view.seq, view, items: [...items.values()] }
}
