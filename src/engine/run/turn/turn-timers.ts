import type { Turn } from './turn.ts'

const MAX_TIMER_MS = 2_147_483_647

/**
 * Creates the timers of a turn that waits for a person: the time to park the run, and the next expiry of a question.
 * `reset` sets them again, after questions were opened or settled.
 */
export function createTimers({ work, asking }: Turn, on: { park(): void; expire(): void }) {
  const { ctx, recorder } = work
  const timers = new Set<NodeJS.Timeout>()
  const later = (ms: number, then: () => void) =>
    void timers.add(setTimeout(then, Math.min(MAX_TIMER_MS, Math.max(0, ms))))
  const clear = () => {
    for (const timer of timers) clearTimeout(timer)
    timers.clear()
  }
  const reset = () => {
    clear()
    if (asking.open === 0) return
    later(ctx.config.parkAfterMs, on.park)
    const ends = Object.values(recorder.view.open).flatMap((question) => question.expiresAt ?? [])
    if (ends.length > 0) later(Math.min(...ends) - ctx.now() + 1, on.expire)
  }
  reset()
  return { reset, clear }
}
