/** A signal that a loop waits for. Wakes that come before the wait are not lost. */
export type WakeSignal = ReturnType<typeof createSignal>

export function createSignal() {
  let woken = false
  let end: (() => void) | null = null
  return {
    /** Ends the wait under way, or the next one. Idempotent; usable as an event listener. */
    wake(): void {
      woken = true
      end?.()
    },
    /** Forgets earlier wakes. */
    reset(): void {
      woken = false
    },
    /** Resolves after `wake`, or after `ms`; null for no limit. */
    wait: (ms: number | null): Promise<void> =>
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
