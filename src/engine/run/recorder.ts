import { asCarrelError, CarrelError } from '../../model/errors.ts'
import type { Event, Outcome } from '../../model/events.ts'
import { fold } from '../../model/fold.ts'
import type { SessionId } from '../../model/ids.ts'
import type { Item } from '../../model/items.ts'
import type { Mask } from '../../model/mask.ts'
import { createOutcomeMask } from '../../model/mask-outcomes.ts'
import type { Session } from '../../model/tree.ts'
import { liveItems, type SessionView } from '../../model/view.ts'
import { createSerial } from '../../primitives/serial.ts'
import type { Begins, FoldWrite, Store, Submitted } from '../../store/store.ts'
import { foldTail, type Loaded, newestOf } from '../folding.ts'
import type { ClaimedLease } from '../leases.ts'

/** Bytes of waiting updates that are written without waiting for the setting. */
const FLUSH_BYTES = 16_384
/** Waiting updates beyond this end the run: the store does not keep up, and memory is not endless. */
const MAX_WAITING_BYTES = 67_108_864
/** The stored fold may be this many events behind; whoever reads folds the rest. */
const FOLD_EVERY = 256
const FOLD_EVERY_MS = 1_000

/**
 * The one writer of a session's outcomes, for as long as the lease is held. Many updates become few writes, in the
 * order they were given. Keeps the view folded to the last event it knows, its own and other people's.
 */
export interface Recorder {
  readonly session: Session
  readonly view: SessionView
  item(n: number): Item | undefined
  /** The newest items as they are at the head that is folded here, oldest first. */
  newest(limit: number): Promise<Item[]>
  /** Hands in an outcome that may wait a moment for others. Order is kept; a failure shows at the next `record`. */
  push(outcome: Outcome): void
  /** Writes these, and all that was pushed before, and resolves when they are committed and folded. */
  record(...outcomes: Outcome[]): Promise<void>
  /**
   * Writes these behind what somebody is about to submit, in one commit with it, and folds both. False when something
   * came between, and that was submitted alone, or refused.
   */
  recordBehind(submit: (begins: Begins) => Promise<Submitted | null>, ...outcomes: Outcome[]): Promise<boolean>
  /** Folds what others submitted; with `head`, only if that is not folded by the time it is this one's turn. */
  catchUp(head?: number): Promise<void>
  /** Stores the fold and lets the session rest; false when something came since it was called, also what is folded by then (L10). */
  settle(wakeAt: number | null): Promise<boolean>
  /** Called after each fold, with the view as it then is. */
  onView(listener: (view: SessionView) => void): () => void
  /** Ends the waiting for the clock; nothing more is written. */
  close(): void
}

interface Setting {
  now(): number
  flushMs: number
  /** Hides what must not be stored (B3). */
  mask(): Mask
}

/** `loaded` may be from before the lease was taken: `catchUp` folds what came since. */
export function openRecorder(
  store: Store,
  session: Session,
  lease: ClaimedLease,
  loaded: Loaded,
  setting: Setting,
): Recorder {
  const mask = createOutcomeMask(setting.mask)
  const { items, dirty } = loaded
  let { view } = loaded
  let stored = { seq: loaded.storedSeq, at: setting.now() }
  let waiting: Outcome[] = []
  let waitingBytes = 0
  let timer: NodeJS.Timeout | null = null
  let lastFlush = 0
  const writes = createSerial()
  let broken: CarrelError | null = null
  const listeners = new Set<(view: SessionView) => void>()

  const tell = () => {
    for (const listener of [...listeners]) listener(view)
  }
  const foldDue = (): FoldWrite | undefined => {
    const behind = view.seq - stored.seq
    if (behind === 0 || (behind < FOLD_EVERY && setting.now() - stored.at < FOLD_EVERY_MS)) return undefined
    return { seq: view.seq, view, items: [...dirty.values()] }
  }

  const foldStored = (write: FoldWrite) => {
    stored = { seq: write.seq, at: setting.now() }
    for (const item of write.items) if (dirty.get(item.n) === item) dirty.delete(item.n)
    const needed = new Set(liveItems(view))
    for (const n of items.keys()) if (!needed.has(n) && !dirty.has(n)) items.delete(n)
  }

  const foldOwn = async (outcomes: readonly Outcome[], first: number, last: number, at: number) => {
    if (first !== view.seq + 1) {
      // Somebody submitted in between: read, so that everything is folded in the order of the log.
      view = await foldTail(store, view, items, dirty)
    } else {
      for (const [index, outcome] of outcomes.entries()) {
        const folded = fold(view, asEvent(outcome, session.id, first + index, at), (n) => items.get(n))
        view = folded.view
        for (const item of folded.items) {
          items.set(item.n, item)
          dirty.set(item.n, item)
        }
      }
    }
    if (view.seq < last) view = await foldTail(store, view, items, dirty)
    tell()
  }

  const write = async (outcomes: readonly Outcome[]) => {
    if (broken) throw broken
    if (outcomes.length === 0) return
    try {
      const foldWrite = foldDue()
      const batch = { outcomes, ...(foldWrite && { fold: foldWrite }) }
      const done = await lease.guard(() => store.log.record(lease.right, session.id, batch, setting.now()))
      lease.took(done.lease)
      if (foldWrite) foldStored(foldWrite)
      await foldOwn(outcomes, done.first, done.last, done.at)
    } catch (thrown) {
      const error = asCarrelError(thrown)
      // `gone` refuses one batch (a prompt withdrawn meanwhile); anything else is the end of this holder's writing.
      if (error.code !== 'gone') {
        broken = error
        lease.lose(error)
      }
      throw error
    }
  }

  const takeWaiting = (): Outcome[] => {
    const taken = waiting
    waiting = []
    waitingBytes = 0
    if (timer) clearTimeout(timer)
    timer = null
    lastFlush = setting.now()
    return taken
  }

  /** One write at a time: what is pushed while one is under way goes with the next. */
  const enqueue = (more: Outcome[]): Promise<void> => writes.run(() => write([...takeWaiting(), ...more]))

  const flushSoon = () => {
    if (timer) return
    const dueIn = waitingBytes >= FLUSH_BYTES ? 0 : Math.max(0, setting.flushMs - (setting.now() - lastFlush))
    timer = setTimeout(() => void enqueue([]).catch(() => undefined), dueIn)
  }

  return {
    session,
    get view() {
      return view
    },
    item: (n) => items.get(n),
    async newest(limit) {
      return newestOf(await store.log.items(session.id as SessionId, null, limit), dirty.values(), limit)
    },
    push(outcome) {
      if (broken) return
      for (const each of mask.take(outcome)) {
        waiting.push(each)
        waitingBytes += sizeOf(each)
      }
      if (waitingBytes > MAX_WAITING_BYTES) {
        broken = new CarrelError(
          'unavailable',
          'The store does not keep up with what the agent says; the run was given up.',
        )
        lease.lose(broken)
        return
      }
      flushSoon()
    },
    record: (...outcomes) => enqueue(outcomes.length === 0 ? mask.rest() : outcomes.flatMap(mask.take)),
    recordBehind(submit, ...outcomes) {
      return writes.run(async () => {
        if (broken) throw broken
        const begins = { after: view.seq, right: lease.right, outcomes: outcomes.flatMap(mask.take) }
        const submitted = await lease.guard(() => submit(begins))
        if (!submitted?.began) return false
        lease.took(submitted.began.lease)
        view = await foldTail(store, view, items, dirty)
        tell()
        return true
      })
    },
    catchUp(head) {
      return writes.run(async () => {
        if (head !== undefined && head <= view.seq) return
        const before = view.seq
        view = await foldTail(store, view, items, dirty)
        if (view.seq !== before) tell()
      })
    },
    async settle(wakeAt) {
      const { seq } = view
      await enqueue(mask.rest())
      // Folded while it was waited for: that it may rest was said of another view.
      if (view.seq !== seq) return false
      const write: FoldWrite = { seq: view.seq, view, items: [...dirty.values()] }
      const settled = await lease.guard(() => store.log.settle(lease.current, session.id, write, wakeAt, setting.now()))
      if (settled) foldStored(write)
      return settled
    },
    onView(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close() {
      broken ??= new CarrelError('lease_lost', 'This session is not held here any more.')
      if (timer) clearTimeout(timer)
    },
  }
}

function asEvent(outcome: Outcome, session: Session['id'], seq: number, at: number): Event {
  const run = outcome.run ?? (outcome.data as { run?: Event['run'] }).run ?? null
  return { session, seq, at, run, type: outcome.type, data: outcome.data } as Event
}

/** Roughly the bytes an outcome will take; texts are what counts. */
function sizeOf(outcome: Outcome): number {
  if (outcome.type !== 'agent.update') return 512
  const content = (outcome.data.update as { content?: { text?: unknown } } | null)?.content
  return typeof content?.text === 'string'
    ? 128 + content.text.length
    : JSON.stringify(outcome.data.update ?? null).length
}
