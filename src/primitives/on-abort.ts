/** Calls `listener` once when `signal` is aborted, but not if it is aborted already. Returns the way to stop. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  signal.addEventListener('abort', listener, { once: true })
  return () => signal.removeEventListener('abort', listener)
}
