import { asCarrelError } from '../model/errors.ts'
import { awakeSignal, retryPause } from '../primitives/timers.ts'
import { methodsOver } from './sql/operations.ts'
import type { Store } from './store.ts'

/**
 * Wraps a store so that reads wait out a short outage of the database: a run must not fail over a question that the
 * next connection answers. Writes are passed on once, since not each of them is safe to repeat.
 * @param patienceMs time after which a read fails with the last error, `unavailable`
 */
export function patientReads(store: Store, patienceMs: number): Store {
  const call = async (name: string, args: readonly unknown[]): Promise<unknown> => {
    const [part, method] = name.split('.') as ['log', 'read']
    return await (store[part][method] as (...args: readonly unknown[]) => Promise<unknown>)(...args)
  }
  const read = async (name: string, args: readonly unknown[]): Promise<unknown> => {
    let over: AbortSignal | null = null
    for (let tries = 0; ; tries += 1) {
      try {
        return await call(name, args)
      } catch (thrown) {
        if (asCarrelError(thrown).code !== 'unavailable' || over?.aborted) throw thrown
      }
      over ??= awakeSignal(patienceMs)
      await retryPause(tries)
    }
  }
  return { ...store, ...methodsOver({ write: call, read }) }
}
