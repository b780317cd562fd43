import { DatabaseSync } from 'node:sqlite'
import { parentPort, Worker, workerData } from 'node:worker_threads'
import { CarrelError, type Problem } from '../../model/errors.ts'
import { programFile } from '../../primitives/programs.ts'
import { createWorkerCalls, type WorkerCalls } from '../../primitives/worker-calls.ts'
import { type ReadArgs, type ReadResult, runRead } from '../sql/operations.ts'
import { fromSqlite } from './sqlite-errors.ts'
import { sqliteTx } from './sqlite-tx.ts'

/**
 * Searches of an embedded database, in a thread of their own: a word that is everywhere takes a tenth of a second in a
 * large database, and all that streams meanwhile must not wait for it. Begun by the first search.
 */

interface SearcherOptions {
  readonly path: string
  readonly busyMessage: string | undefined
}
interface Asked {
  readonly id: number
  readonly args: ReadArgs<'search'>
}
interface Answered {
  readonly id: number
  readonly result?: ReadResult<'search'>
  readonly problem?: Problem
}

export interface Searcher {
  search(args: ReadArgs<'search'>): Promise<ReadResult<'search'>>
  /** What is still asked for is refused. Safe to repeat. */
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
    worker.on('message', ({ id, result, problem }: Answered) => {
      if (problem) calls.reject(id, new CarrelError(problem.code, problem.message, problem.data))
      else calls.resolve(id, result)
    })
    // The next search begins another.
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
      return calls.begin((id) => worker.postMessage({ id, args } satisfies Asked))
    },
    async close() {
      closed = true
      if (!thread) return
      const { worker, calls } = thread
      calls.end(storeClosed())
      const gone = new Promise((resolve) => worker.once('exit', resolve))
      worker.ref()
      // Not terminated: the thread gives its file back itself.
      worker.postMessage('close')
      await gone
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
  const answer = async ({ id, args }: Asked): Promise<Answered> => {
    try {
      return { id, result: (await runRead(tx, 'search', args)) as ReadResult<'search'> }
    } catch (error) {
      return { id, problem: fromSqlite(error, busyMessage).toJSON() }
    }
  }
  port.on('message', async (message: Asked | 'close') => {
    if (message !== 'close') return port.postMessage(await answer(message))
    db.close()
    port.close()
  })
}
