/** A signal that a loop waits for. Wakes that come before the wait are not lost. */
export interface WakeSignal {
  /** Ends the wait under way, or the next one. Idempotent; usable as an event listener. */
  readonly wake: () => void
  /** Forgets earlier wakes. */
  reset(): void
  /** Resolves after `wake`, or after `ms`; null for no limit. */
  wait(ms: number | null): Promise<void>
}

export function createSignal(): WakeSignal {
  let woken = false
  let end: (() => void) | null = null
  return {
    wake() {
      woken = true
      end?.()
    },
    reset() {
      woken = false
    },
    wait: (ms) =>
      new Promise((resolve) => {
        if (woken) return resolve()
        const timer = ms === null ? undefined : setTimeout(resolve, ms)
        end = () => {
          clearTimeout(timer)
          end = null
          resolve()
        }
      }),
  }
}
