/** Calls `listener` once when `signal` is aborted, but not if it is aborted already. Returns the way to stop. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  signal.addEventListener('abort', listener, { once: true })
  return () => signal.removeEventListener('abort', listener)
}

/** Waits for `promise`, at most until `signal` is aborted. @throws the error of `failure` then */
export async function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  failure: () => unknown = () => signal.reason,
): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const leave = () => reject(failure())
  const stop = onAbort(signal, leave)
  if (signal.aborted) leave()
  try {
    return await Promise.race([aborted, promise])
  } finally {
    stop()
  }
}
