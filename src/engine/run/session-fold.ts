import type { Event, Outcome } from '../../model/events/events.ts'
import type { Item } from '../../model/events/items.ts'
import { liveItems, type SessionView } from '../../model/events/view.ts'
import { createPacer } from '../../primitives/pacer.ts'
import type { FoldWrite, Recorded, Store } from '../../store/store.ts'
import { foldOne, foldTail, type Loaded, newestOf } from '../folding.ts'

/** The stored fold may lag this many events or ms behind; readers fold the rest. */
const STORE_EVERY = 256
const STORE_EVERY_MS = 1_000

export class SessionFold {
  readonly #store: Store
  readonly #now: () => number
  readonly #items: Map<number, Item>
  readonly #dirty: Map<number, Item>
  #view: SessionView
  #stored: { readonly seq: number; readonly at: number }

  constructor(store: Store, loaded: Loaded, now: () => number) {
    this.#store = store
    this.#now = now
    this.#items = loaded.items
    this.#dirty = loaded.dirty
    this.#view = loaded.view
    this.#stored = { seq: loaded.storedSeq, at: now() }
  }

  get view(): SessionView {
    return this.#view
  }

  item(n: number): Item | undefined {
    return this.#items.get(n)
  }

  async newest(limit: number): Promise<Item[]> {
    return newestOf(await this.#store.log.items(this.#view.session, null, limit), this.#dirty.values(), limit)
  }

  /** Folds the events after the last known one; false where there are none. */
  async catchUp(): Promise<boolean> {
    const { seq } = this.#view
    this.#view = await foldTail(this.#store, this.#view, this.#items, this.#dirty)
    return this.#view.seq !== seq
  }

  /** Folds outcomes that were recorded. Events that others submitted in between are read from the log. */
  async add(outcomes: readonly Outcome[], { first, last, at }: Recorded): Promise<void> {
    if (first === this.#view.seq + 1) {
      const breathe = createPacer()
      for (const [index, outcome] of outcomes.entries()) {
        const event = eventOf(outcome, { session: this.#view.session, seq: first + index, at })
        this.#view = foldOne(this.#view, event, this.#items, this.#dirty)
        const turn = breathe()
        if (turn) await turn
      }
    }
    if (this.#view.seq < last) await this.catchUp()
  }

  /** Returns the fold to be stored with the next write; undefined while the stored one is fresh enough. */
  due(): FoldWrite | undefined {
    const behind = this.#view.seq - this.#stored.seq
    const fresh = behind < STORE_EVERY && this.#now() - this.#stored.at < STORE_EVERY_MS
    return behind === 0 || fresh ? undefined : this.toWrite()
  }

  toWrite(): FoldWrite {
    return { seq: this.#view.seq, view: this.#view, items: [...this.#dirty.values()] }
  }

  stored({ seq, items }: FoldWrite): void {
    this.#stored = { seq, at: this.#now() }
    for (const item of items) if (this.#dirty.get(item.n) === item) this.#dirty.delete(item.n)
    const needed = new Set(liveItems(this.#view))
    for (const n of this.#items.keys()) if (!needed.has(n) && !this.#dirty.has(n)) this.#items.delete(n)
  }
}

function eventOf(outcome: Outcome, at: Pick<Event, 'session' | 'seq' | 'at'>): Event {
  const run = outcome.run ?? (outcome.data as { run?: Event['run'] }).run ?? null
  return { ...at, run, type: outcome.type, data: outcome.data } as Event
}
