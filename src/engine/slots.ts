import { CarrelError } from '../model/errors.ts'
import { createSemaphore } from '../primitives/semaphore.ts'
import { awakeTimeout } from '../primitives/timers.ts'

/** A FIFO semaphore with a longest wait, whose waiting callers are visible. */
export interface Slots<T> {
  /** Takes a slot at once, even when none is free: for uses that exist already. */
  take(): void
  /**
   * Takes a slot when one is free and all earlier callers have theirs. `onWait` receives the number of earlier callers
   * when it has to wait. @throws unavailable when `signal` fires first, or after the longest wait
   */
  wait(who: T, signal: AbortSignal, onWait: (before: number) => void): Promise<void>
  giveBack(): void
  readonly taken: number
  readonly waiting: readonly { readonly who: T; readonly since: number }[]
}

interface Options {
  readonly most: number
  readonly waitMs: number
  readonly now: () => number
  /** Texts of the two errors: the limit, and how to get a slot. */
  readonly messages: { readonly cancelled: string; readonly tooLong: string }
}

export function createSlots<T>({ most, waitMs, now, messages }: Options): Slots<T> {
  const slots = createSemaphore<{ readonly who: T; readonly since: number }>(most)
  return {
    get taken() {
      return slots.taken
    },
    get waiting() {
      return slots.waiting
    },
    take: slots.take,
    giveBack: slots.release,
    async wait(who, signal, onWait) {
      const late = new AbortController()
      const stop = awakeTimeout(waitMs, () => late.abort())
      try {
        await slots.acquire({
          tag: { who, since: now() },
          signal: AbortSignal.any([signal, late.signal]),
          onWait,
        })
      } catch (cause) {
        const message = signal.aborted ? messages.cancelled : messages.tooLong
        throw new CarrelError('unavailable', message, undefined, cause)
      } finally {
        stop()
      }
    },
  }
}
