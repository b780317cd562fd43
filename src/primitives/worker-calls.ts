/** A call whose answer is still to come. */
interface OpenCall {
  resolve(result: unknown): void
  reject(error: unknown): void
}

/** The caller's side of calls to a worker or child process: matches answers to calls by number. */
export type WorkerCalls = ReturnType<typeof createWorkerCalls>

/**
 * Creates the table of open calls.
 * @param hold called when the first call begins after a rest, and with false when the last call is over: for `ref` and
 *   `unref`, so that an idle worker does not keep the process alive
 */
export function createWorkerCalls(hold: (busy: boolean) => void) {
  const open = new Map<number, OpenCall>()
  let count = 0
  let refusal: Error | null = null
  const settle = (id: number, act: (call: OpenCall) => void) => {
    const call = open.get(id)
    if (!call) return
    open.delete(id)
    act(call)
    if (open.size === 0) hold(false)
  }
  return {
    /** Begins a call; `send` posts its number. Resolves to its result. @throws the error of `send`, `reject` or `end` */
    begin<T>(send: (id: number) => void): Promise<T> {
      if (refusal) return Promise.reject(refusal)
      const id = ++count
      if (open.size === 0) hold(true)
      // Not by `Promise.withResolvers`: the library runs on Node 20.
      return new Promise<T>((resolve, reject) => {
        open.set(id, { resolve: (result) => resolve(result as T), reject })
        try {
          send(id)
        } catch (error) {
          settle(id, (call) => call.reject(error))
        }
      })
    },
    /** Ends a call with its result. Does nothing for a call that is over. */
    resolve: (id: number, result: unknown): void => settle(id, (call) => call.resolve(result)),
    /** Ends a call with an error. Does nothing for a call that is over. */
    reject: (id: number, error: Error): void => settle(id, (call) => call.reject(error)),
    /** Rejects every open call and every later one with `error`. Only the first call counts. */
    end(error: Error): void {
      refusal ??= error
      for (const id of [...open.keys()]) settle(id, ({ reject }) => reject(refusal))
    },
    /** Rejects every later call with `error`; open calls still get their answers. Only the first call counts. */
    refuse(error: Error): void {
      refusal ??= error
    },
    /** True after `end` or `refuse`. */
    get ended(): boolean {
      return refusal !== null
    },
  }
}
