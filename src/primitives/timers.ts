/** Timers run in pieces of at most this length. ms. */
const PIECE_MS = 1_000
/** A piece that ends this late was slept through. ms. */
const SLEPT_MS = 1_000

/**
 * Calls `act` after `ms` of time awake. Time for which the process was frozen, or the machine asleep, does not count:
 * nobody could act in it. After waking, a timer still runs for its last piece of up to a second. Returns the way to stop.
 * @param options.ref false for a timer that does not keep the process alive
 */
export function awakeTimeout(ms: number, act: () => void, { ref = true }: { readonly ref?: boolean } = {}): () => void {
  let left = Math.max(0, ms)
  let running: NodeJS.Timeout
  const begin = () => {
    const piece = Math.min(left, PIECE_MS)
    const due = performance.now() + piece
    running = setTimeout(() => {
      if (performance.now() - due < SLEPT_MS) left -= piece
      else return begin()
      if (left > 0) begin()
      else act()
    }, piece)
    if (!ref) running.unref()
  }
  begin()
  return () => clearTimeout(running)
}

/** Returns a signal that is aborted after `ms` of time awake, like `AbortSignal.timeout`. */
export function awakeSignal(ms: number): AbortSignal {
  const late = new AbortController()
  awakeTimeout(ms, () => late.abort(new DOMException('The time is over.', 'TimeoutError')), { ref: false })
  return late.signal
}

/** Pauses between tries; the last one repeats. ms. */
const RETRY_MS = [25, 50, 100, 250]

/** Waits before the next try, longer after each. `tries` counts from 0. */
export const retryPause = (tries: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]))

/** @see createTimer */
export type Timer = ReturnType<typeof createTimer>

/**
 * A timer that is started and stopped again and again, with one call under way at most.
 * @param options.ref false for a timer that does not keep the process alive
 */
export function createTimer(options: { readonly ref?: boolean } = {}) {
  let running: (() => void) | null = null
  const stop = () => {
    running?.()
    running = null
  }
  const start = (ms: number, act: () => void) => {
    running ??= awakeTimeout(
      ms,
      () => {
        running = null
        act()
      },
      options,
    )
  }
  return {
    /** Calls `act` after `ms` awake. Does nothing while the timer runs. */
    start,
    /** Calls `act` after `ms` awake from now, and not what an earlier start asked for. */
    restart(ms: number, act: () => void): void {
      stop()
      start(ms, act)
    },
    /** Drops the call under way. Safe to repeat. */
    stop,
  }
}

/** Tells whether `promise` resolves within `ms` awake. Leaves no timer. @throws its error when it rejects in time */
export async function resolvesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const late = Promise.withResolvers<false>()
  const stop = awakeTimeout(ms, () => late.resolve(false))
  try {
    return await Promise.race([promise.then(() => true as const), late.promise])
  } finally {
    stop()
  }
}
