import { DatabaseSync } from 'node:sqlite'
import { parentPort, Worker, workerData } from 'node:worker_threads'
import { CarrelError, type Problem } from '../../model/errors.ts'
import { programFile } from '../../primitives/programs.ts'
import { createWorkerCalls, type WorkerCalls } from '../../primitives/worker-calls.ts'
import { runRead } from '../sql/operations.ts'
import { fromSqlite } from './sqlite-errors.ts'
import { sqliteTx } from './sqlite-tx.ts'

/**
 * Searches an embedded database in its own thread: a frequent word takes a tenth of a second in a large database, and
 * streams must not wait for it. The first search starts the thread.
 */

interface SearcherOptions {
  readonly path: string
  readonly busyMessage: string | undefined
}
interface SearchRequest {
  readonly id: number
  readonly args: readonly unknown[]
}
interface SearchReply {
  readonly id: number
  readonly result?: unknown
  readonly problem?: Problem
}

export interface Searcher {
  search(args: readonly unknown[]): Promise<unknown>
  /** Rejects pending searches and ends the thread. Safe to repeat. */
  close(): Promise<void>
}

interface Thread {
  readonly worker: Worker
  readonly calls: WorkerCalls
}

export function createSearcher(options: SearcherOptions): Searcher {
  let thread: Thread | null = null
  let closed = false
  const start = (): Thread => {
    const file = programFile('sqlite-searcher', new URL('./sqlite-searcher.ts', import.meta.url))
    const worker = new Worker(file, { workerData: { carrelSearcher: options } })
    // An idle store keeps no process alive.
    const calls = createWorkerCalls((busy) => (busy ? worker.ref() : worker.unref()))
    worker.on('message', ({ id, result, problem }: SearchReply) => {
      if (problem) calls.reject(id, new CarrelError(problem.code, problem.message, problem.data))
      else calls.resolve(id, result)
    })
    // The next search starts a new thread.
    const stopped = (cause?: unknown) => {
      if (thread?.worker === worker) thread = null
      calls.end(new CarrelError('unavailable', 'The search has stopped. Try again.', undefined, cause))
    }
    worker.on('error', stopped)
    worker.once('exit', () => stopped())
    return { worker, calls }
  }
  return {
    search(args) {
      if (closed) return Promise.reject(storeClosed())
      thread ??= start()
      const { worker, calls } = thread
      return calls.begin((id) => worker.postMessage({ id, args } satisfies SearchRequest))
    },
    async close() {
      closed = true
      if (!thread) return
      const { worker, calls } = thread
      calls.end(storeClosed())
      const exited = new Promise((resolve) => worker.once('exit', resolve))
      worker.ref()
      // Asked to end and not terminated, so that the thread closes its database itself.
      worker.postMessage('close')
      await exited
    },
  }
}

const storeClosed = () => new CarrelError('unavailable', 'The store is closed.')

const options = workerData as { carrelSearcher?: SearcherOptions } | null
if (parentPort && options?.carrelSearcher) {
  const port = parentPort
  const { path, busyMessage } = options.carrelSearcher
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
  const tx = sqliteTx(db)
  const answer = async ({ id, args }: SearchRequest): Promise<SearchReply> => {
    try {
      return { id, result: await runRead(tx, 'log.search', args) }
    } catch (error) {
      return { id, problem: fromSqlite(error, busyMessage).toJSON() }
    }
  }
  port.on('message', async (message: SearchRequest | 'close') => {
    if (message !== 'close') return port.postMessage(await answer(message))
    db.close()
    port.close()
  })
}
