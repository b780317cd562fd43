import { asCarrelError, CarrelError } from '../../model/errors.ts'
import type { Outcome } from '../../model/events/events.ts'
import { Growth, joinedUpdate } from '../../model/events/growing.ts'
import type { Item } from '../../model/events/items.ts'
import { createOutcomeMask } from '../../model/events/mask-outcomes.ts'
import type { SessionView } from '../../model/events/view.ts'
import type { Mask } from '../../model/secrets/mask.ts'
import type { Session } from '../../model/tree.ts'
import { createSerial } from '../../primitives/serial.ts'
import type { Begins, Store, Submitted } from '../../store/store.ts'
import type { Loaded } from '../folding.ts'
import type { ClaimedLease } from '../leases.ts'
import { SessionFold } from './session-fold.ts'

/** Bytes of waiting updates that are written at once, without waiting for `flushMs`. */
const FLUSH_BYTES = 16_384
/** More waiting bytes end the run: the store is too slow for the agent, and memory is finite. */
const MAX_WAITING_BYTES = 67_108_864

/** Most updates of one commit. Other sessions get their turn between two. */
const PORTION = 500

export interface RecorderOptions {
  readonly store: Store
  readonly session: Session
  readonly lease: ClaimedLease
  /** May be older than the lease: `catchUp` folds the events since. */
  readonly loaded: Loaded
  readonly now: () => number
  readonly flushMs: number
  /** Hides values of secrets, which must not be stored (B3). */
  readonly mask: () => Mask
}

/**
 * The only writer of a session's outcomes while its lease is held. Combines many updates into few writes and keeps
 * their order. Keeps the view folded to the last event known here, own or foreign.
 */
export class SessionRecorder {
  readonly session: Session
  readonly #options: RecorderOptions
  readonly #mask: ReturnType<typeof createOutcomeMask>
  readonly #fold: SessionFold
  readonly #growth = new Growth()
  readonly #listeners = new Set<(view: SessionView) => void>()
  #waiting: Outcome[] = []
  #waitingBytes = 0
  #timer: NodeJS.Timeout | null = null
  #lastFlush = 0
  readonly #jobs = createSerial()
  #broken: CarrelError | null = null

  constructor(options: RecorderOptions) {
    this.session = options.session
    this.#options = options
    this.#mask = createOutcomeMask(options.mask)
    this.#fold = new SessionFold(options.store, options.loaded, options.now)
  }

  get view(): SessionView {
    return this.#fold.view
  }

  /** Bound, so that it may be passed on as a function. */
  readonly item = (n: number): Item | undefined => this.#fold.item(n)

  /** Returns the newest items at the last event known here, oldest first. */
  newest(limit: number): Promise<Item[]> {
    return this.#fold.newest(limit)
  }

  /** Adds an outcome that may wait a moment for others. Keeps the order; a failure appears at the next `record`. */
  push(outcome: Outcome): void {
    if (this.#broken) return
    for (const masked of this.#mask.take(outcome)) {
      const joined = joinedUpdate(this.#waiting.at(-1), masked)
      if (joined) this.#waiting.pop()
      this.#waiting.push(joined ?? masked)
      this.#waitingBytes += sizeOf(masked)
    }
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      const message = 'The store is too slow for the output of the agent; the run was ended.'
      this.#break(new CarrelError('unavailable', message))
    } else this.#flushSoon()
  }

  /** Writes all pushed outcomes and then these; resolves when all are committed and folded. */
  record(...outcomes: Outcome[]): Promise<void> {
    return this.#enqueue(outcomes.length === 0 ? this.#mask.rest() : outcomes.flatMap(this.#mask.take))
  }

  /**
   * Writes these in one commit with a request that `submit` writes, and folds both. False when another event came
   * between: then the request was submitted alone, or refused.
   */
  recordWith(submit: (begins: Begins) => Promise<Submitted | null>, ...outcomes: Outcome[]): Promise<boolean> {
    const { lease } = this.#options
    return this.#jobs.run(async () => {
      if (this.#broken) throw this.#broken
      const begins = { after: this.view.seq, right: lease.right, outcomes: outcomes.flatMap(this.#mask.take) }
      const submitted = await lease.guard(() => submit(begins))
      if (submitted === null) return await this.#isWritten(begins.outcomes)
      if (!submitted.began) return false
      lease.took(submitted.began.lease)
      await this.#fold.catchUp()
      this.#notify()
      return true
    })
  }

  /** Folds events that others submitted; with `head`, only if that event is not folded yet. */
  catchUp(head?: number): Promise<void> {
    return this.#jobs.run(async () => {
      if (head !== undefined && head <= this.view.seq) return
      if (await this.#fold.catchUp()) this.#notify()
    })
  }

  /** Stores the fold and lets the session rest; false when an event arrived since the call (L10). */
  async settle(wakeAt: number | null): Promise<boolean> {
    const { store, lease, session, now } = this.#options
    const { seq } = this.view
    await this.#enqueue(this.#mask.rest())
    // The decision to rest was made for an older view.
    if (this.view.seq !== seq) return false
    const write = this.#fold.toWrite()
    const settled = await lease.persist(() => store.log.settle(lease.current, session.id, write, wakeAt, now()))
    if (settled) this.#fold.stored(write)
    return settled
  }

  /** Calls the listener with the view after each fold. Returns the way to stop. */
  onView(listener: (view: SessionView) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  close(): void {
    this.#broken ??= new CarrelError('lease_lost', 'This session is not held here any more.')
    if (this.#timer) clearTimeout(this.#timer)
  }

  /** Outcomes that are pushed while a write is under way go with the next one. */
  #enqueue(more: readonly Outcome[]): Promise<void> {
    return this.#jobs.run(async () => {
      const waiting = this.#takeWaiting()
      while (waiting.length > PORTION) await this.#write(waiting.splice(0, PORTION))
      await this.#write([...waiting, ...more])
    })
  }

  #takeWaiting(): Outcome[] {
    const taken = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    this.#lastFlush = this.#options.now()
    return taken
  }

  #flushSoon(): void {
    if (this.#timer) return
    const { flushMs, now } = this.#options
    const dueIn = this.#waitingBytes >= FLUSH_BYTES ? 0 : Math.max(0, flushMs - (now() - this.#lastFlush))
    this.#timer = setTimeout(() => void this.#enqueue([]).catch(() => undefined), dueIn)
  }

  /** Whether a write whose answer was lost is in the log, or is now: a prompt that waits may be admitted. */
  async #isWritten(outcomes: readonly Outcome[]): Promise<boolean> {
    try {
      await this.#write(outcomes, true)
      return true
    } catch (thrown) {
      // Without its prompt, an admission is refused.
      if (asCarrelError(thrown).code === 'gone') return false
      throw thrown
    }
  }

  /**
   * Writes in one commit. While the store is away, the write waits, and with it everything that has to be recorded
   * before it reaches an agent. `again`: the outcomes may be in the log already.
   */
  async #write(said: readonly Outcome[], again = false): Promise<void> {
    if (this.#broken) throw this.#broken
    if (said.length === 0) return
    const outcomes = said.map((outcome) => this.#growth.take(outcome))
    const { store, lease, session, now } = this.#options
    try {
      const fold = this.#fold.due()
      const batch = { outcomes, ...(fold && { fold }) }
      const after = this.view.seq
      const recorded = await lease.persist((repeated) => {
        const whole = again || repeated ? { ...batch, after } : batch
        return store.log.record(lease.right, session.id, whole, now())
      })
      lease.took(recorded.lease)
      if (fold) this.#fold.stored(fold)
      await this.#fold.add(outcomes, recorded)
      this.#notify()
    } catch (thrown) {
      const error = asCarrelError(thrown)
      this.#growth.forget()
      // `gone` refuses one batch, as for a prompt that was withdrawn meanwhile. Any other error ends the writing.
      if (error.code !== 'gone') this.#break(error)
      throw error
    }
  }

  #break(error: CarrelError): void {
    this.#broken = error
    this.#options.lease.lose(error)
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener(this.view)
  }
}

/** Estimates the bytes of an outcome; only texts are large. */
function sizeOf(outcome: Outcome): number {
  if (outcome.type !== 'agent.update') return 512
  const content = (outcome.data.update as { content?: { text?: unknown } } | null)?.content
  return typeof content?.text === 'string'
    ? 128 + content.text.length
    : JSON.stringify(outcome.data.update ?? null).length
}
