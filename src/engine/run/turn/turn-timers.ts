import { createTimer } from '../../../primitives/timers.ts'
import { expiryOf } from './expiry.ts'
import type { Turn } from './turn.ts'

/** Shortest time to the next look at the expiries. ms. */
const AGAIN_MS = 50

/**
 * Creates the timers of a turn that waits for a person: the time to park the run, and the next expiry of a question.
 * `reset` sets them again, after questions were opened or settled.
 */
export function createTimers({ work, asking }: Pick<Turn, 'work' | 'asking'>, on: { park(): void; expire(): void }) {
  const { ctx, recorder } = work
  const parking = createTimer()
  const expiring = createTimer()
  const clear = () => {
    parking.stop()
    expiring.stop()
  }
  // A sleep puts an expiry off, so that the timer may find none that is due.
  const awaitExpiry = () => {
    const ends = Object.values(recorder.view.open).flatMap((question) => expiryOf(ctx, question) ?? [])
    if (ends.length === 0) return
    expiring.restart(Math.max(AGAIN_MS, Math.min(...ends) - ctx.now() + 1), () => {
      on.expire()
      awaitExpiry()
    })
  }
  const reset = () => {
    clear()
    if (asking.open === 0) return
    parking.restart(ctx.config.parkAfterMs, on.park)
    awaitExpiry()
  }
  reset()
  return { reset, clear }
}
