/** Streamed words come faster than anybody reads: so often the page is made again, at most. ms. */
const PACE_MS = 80

/**
 * Gathers what comes in and hands it on with the next animation frame, or after a moment where there are no frames
 * (a tab in the background still has to count its questions). After that it waits for `PACE_MS`. Order is kept.
 */
export function inFrames<T>(act: (batch: readonly T[]) => void): (one: T) => void {
  let batch: T[] = []
  let frame = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let last = Number.NEGATIVE_INFINITY
  const flush = (): void => {
    cancelAnimationFrame(frame)
    clearTimeout(timer)
    last = performance.now()
    const full = batch
    batch = []
    act(full)
  }
  return (one) => {
    batch.push(one)
    if (batch.length > 1) return
    const early = last + PACE_MS - performance.now()
    const soon = (): void => {
      frame = requestAnimationFrame(flush)
      timer = setTimeout(flush, 200)
    }
    if (early > 0) timer = setTimeout(soon, early)
    else soon()
  }
}
