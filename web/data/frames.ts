/**
 * Gathers what comes in and hands it on once per animation frame, or after a moment where there are no frames
 * (a tab in the background still has to count its questions). Order is kept.
 */
export function inFrames<T>(act: (batch: readonly T[]) => void): (one: T) => void {
  let batch: T[] = []
  let frame = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  const flush = (): void => {
    cancelAnimationFrame(frame)
    clearTimeout(timer)
    const full = batch
    batch = []
    act(full)
  }
  return (one) => {
    batch.push(one)
    if (batch.length > 1) return
    frame = requestAnimationFrame(flush)
    timer = setTimeout(flush, 200)
  }
}
