/** The page renders streamed text at most once in this time. ms. */
const PACE_MS = 80

/**
 * Collects values and hands them on in order with the next animation frame, at most once per `PACE_MS`. A background
 * tab has no frames, but must still count its questions: there a timer takes over.
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
