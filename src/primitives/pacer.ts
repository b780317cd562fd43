/** Longest time that long work blocks its thread. ms. */
const TURN = 4

/**
 * Returns a function to await regularly in long work, so that the thread serves others. Ends of short work wait for
 * nothing: the answer is undefined until a turn is due.
 */
export function createPacer(turn = TURN): () => Promise<void> | undefined {
  let since = performance.now()
  let calls = 0
  return () => {
    // Reading the time costs as much as an lstat of a cached entry.
    calls += 1
    if (calls % 16 !== 0 || performance.now() - since < turn) return undefined
    return new Promise((resolve) =>
      setImmediate(() => {
        since = performance.now()
        resolve()
      }),
    )
  }
}
