import { CarrelError } from '../../model/errors.ts'
import { createSemaphore } from '../../primitives/semaphore.ts'

/** Semaphore for agent starts: at most `limit` at a time, the others wait in order of arrival (P4). */
export type Admission = ReturnType<typeof createAdmission>

/** Set `limit` to about the number of cores: more starts at a time slow each other down. */
export function createAdmission(limit: number) {
  const starts = createSemaphore(limit)
  return {
    limit,
    get active(): number {
      return starts.taken
    },
    /** Number of waiting starts. */
    get queued(): number {
      return starts.waiting.length
    },
    /** Waits for a turn; the returned function ends it, once. @throws unavailable when `signal` fires first */
    async acquire(signal: AbortSignal): Promise<() => void> {
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
