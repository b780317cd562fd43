import { CarrelError } from '../model/errors.ts'
import { createSemaphore } from '../primitives/semaphore.ts'

/** So many of something, and those who wait for one in the order they came. */
export interface Slots<T> {
  /** Takes one without waiting, though none may be left: it is in use already. */
  take(): void
  /**
   * Takes one when this one comes first and one is free. `onWait` hears how many wait before it, when it has to wait at all.
   * @throws unavailable when `signal` fires first, or after the longest wait
   */
  wait(who: T, signal: AbortSignal, onWait: (before: number) => void): Promise<void>
  giveBack(): void
  readonly taken: number
  readonly waiting: readonly { readonly who: T; readonly since: number }[]
}

interface Options {
  readonly most: number
  /** The longest wait. ms. */
  readonly waitMs: number
  /** ms since 1970. */
  readonly now: () => number
  /** Of what there are so many, and what to do when none came free. */
  readonly words: { readonly calledOff: string; readonly tooLong: string }
}

export function createSlots<T>({ most, waitMs, now, words }: Options): Slots<T> {
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
      const timer = setTimeout(() => late.abort(), waitMs)
      try {
        await slots.acquire({
          tag: { who, since: now() },
          signal: AbortSignal.any([signal, late.signal]),
          onWait,
        })
      } catch (cause) {
        throw new CarrelError('unavailable', signal.aborted ? words.calledOff : words.tooLong, undefined, cause)
      } finally {
        clearTimeout(timer)
      }
    },
  }
}
