import { CarrelError } from '../../model/errors.ts'
import { createSemaphore } from '../../primitives/semaphore.ts'

/** Lets so many starts happen at once and keeps the others in order of arrival (P4). */
export interface Admission {
  /** Waits for a turn. Call the answer exactly when the start is over; calling it again does nothing. @throws unavailable when `signal` fires first. */
  acquire(signal: AbortSignal): Promise<() => void>
  readonly limit: number
  readonly active: number
  /** How many wait. */
  readonly queued: number
}

/** `limit` is about the number of cores: more starts at once make each of them slower and none earlier. */
export function createAdmission(limit: number): Admission {
  const starts = createSemaphore(limit)
  return {
    limit,
    get active() {
      return starts.taken
    },
    get queued() {
      return starts.waiting.length
    },
    async acquire(signal) {
      await starts.acquire({ tag: undefined, signal }).catch((cause) => {
        const message = 'The start of an agent was called off while it waited for its turn.'
        throw new CarrelError('unavailable', message, undefined, cause)
      })
      let released = false
      return () => {
        if (!released) starts.release()
        released = true
      }
    },
  }
}
