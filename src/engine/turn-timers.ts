import type { Turn } from './turn.ts'

const MAX_TIMER_MS = 2_147_483_647

/** Clocks of a turn: its time budget, in which waiting for a person does not count, parking, and the next expiry. */
export interface TurnTimers {
  /** Looks again: questions were opened or settled. */
  look(): void
  clear(): void
}

export function createTimers(
  { work, run, asking }: Turn,
  on: { park(): void; overBudget(): void; expire(): void },
): TurnTimers {
  const { ctx, recorder } = work
  const timers = new Set<NodeJS.Timeout>()
  // A turn that was taken up again has used some of it; what it waited for a person then is not known any more.
  const used = run.startedAt === null ? 0 : ctx.now() - run.startedAt
  let leftMs = run.budgetMs === null ? null : run.budgetMs - used
  let runningSince: number | null = ctx.now()
  const later = (ms: number, then: () => void) =>
    void timers.add(setTimeout(then, Math.min(MAX_TIMER_MS, Math.max(0, ms))))
  const clear = () => {
    for (const timer of timers) clearTimeout(timer)
    timers.clear()
  }
  const look = () => {
    clear()
    const now = ctx.now()
    if (runningSince !== null && leftMs !== null) leftMs -= now - runningSince
    const waits = asking.open > 0
    runningSince = waits ? null : now
    if (!waits && leftMs !== null) later(leftMs, on.overBudget)
    if (!waits) return
    later(ctx.config.parkAfterMs, on.park)
    const ends = Object.values(recorder.view.open).flatMap((question) => question.expiresAt ?? [])
    if (ends.length > 0) later(Math.min(...ends) - now + 1, on.expire)
  }
  look()
  return { look, clear }
}
