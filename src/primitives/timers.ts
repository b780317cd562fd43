/**
 * A timer that is started and stopped again and again, with one call under way at most.
 * @param options.ref false for a timer that does not keep the process alive
 */
export function createTimer({ ref = true }: { readonly ref?: boolean } = {}) {
  let running: NodeJS.Timeout | null = null
  const stop = () => {
    if (running) clearTimeout(running)
    running = null
  }
  const start = (ms: number, act: () => void) => {
    if (running) return
    running = setTimeout(() => {
      running = null
      act()
    }, ms)
    if (!ref) running.unref()
  }
  return {
    /** Calls `act` after `ms`. Does nothing while the timer runs. */
    start,
    /** Calls `act` after `ms` from now, and not what an earlier start asked for. */
    restart(ms: number, act: () => void): void {
      stop()
      start(ms, act)
    },
    /** Drops the call under way. Safe to repeat. */
    stop,
  }
}

/** Tells whether `promise` resolves within `ms`. Leaves no timer. @throws its error when it rejects in time */
export async function resolvesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const late = Promise.withResolvers<false>()
  const timer = setTimeout(() => late.resolve(false), ms)
  try {
    return await Promise.race([promise.then(() => true as const), late.promise])
  } finally {
    clearTimeout(timer)
  }
}
