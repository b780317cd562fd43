import { CarrelError } from '../model/errors.ts'

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
  const waiting: { who: T; since: number; begin(): void }[] = []
  let taken = 0
  return {
    get taken() {
      return taken
    },
    waiting,
    take() {
      taken += 1
    },
    giveBack() {
      taken -= 1
      if (taken < most) waiting.shift()?.begin()
    },
    async wait(who, signal, onWait) {
      if (signal.aborted) throw new CarrelError('unavailable', words.calledOff)
      if (taken < most && waiting.length === 0) {
        taken += 1
        return
      }
      const before = waiting.length
      await new Promise<void>((resolve, reject) => {
        const settle = (act: () => void) => {
          clearTimeout(timer)
          signal.removeEventListener('abort', calledOff)
          act()
        }
        const leave = (text: string) => {
          waiting.splice(waiting.indexOf(one), 1)
          settle(() => reject(new CarrelError('unavailable', text)))
        }
        const one = {
          who,
          since: now(),
          begin: () => {
            taken += 1
            settle(resolve)
          },
        }
        const calledOff = () => leave(words.calledOff)
        const timer = setTimeout(() => leave(words.tooLong), waitMs)
        signal.addEventListener('abort', calledOff, { once: true })
        waiting.push(one)
        onWait(before)
      })
    },
  }
}
