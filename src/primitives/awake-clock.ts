/** How often the clock is looked at. ms. */
const LOOK_MS = 1_000
/** A gap of this length between two looks was slept through. ms. */
const SLEPT_MS = 3_000

/**
 * Tells time awake from time asleep. The process is asleep while it is frozen, while its event loop stands still, and
 * while its machine sleeps. A clock that is set forward looks the same, and one that is set back changes nothing.
 */
export interface AwakeClock {
  /** Returns the ms awake since the clock was made. Never goes back. */
  elapsed(): number
  /** Returns the ms asleep since `at`, ms since 1970. Sleep before the clock was made is unknown. */
  sleptSince(at: number): number
  /** Returns when the process woke for the last time, or when the clock was made. ms since 1970. */
  wokeAt(): number
  stop(): void
}

export function createAwakeClock(now: () => number): AwakeClock {
  const sleeps: { readonly from: number; readonly to: number }[] = []
  let seen = now()
  let awake = 0
  let wokeAt = seen
  /** Each answer looks first: after a sleep, other timers may ask before the own one. */
  const look = () => {
    const at = now()
    if (at - seen >= SLEPT_MS) {
      sleeps.push({ from: seen, to: at })
      wokeAt = at
    } else awake += Math.max(0, at - seen)
    seen = at
  }
  const timer = setInterval(look, LOOK_MS)
  timer.unref()
  return {
    elapsed() {
      look()
      return awake
    },
    sleptSince(at) {
      look()
      return sleeps.reduce((sum, { from, to }) => sum + Math.max(0, to - Math.max(from, at)), 0)
    },
    wokeAt() {
      look()
      return wokeAt
    },
    stop: () => clearInterval(timer),
  }
}
