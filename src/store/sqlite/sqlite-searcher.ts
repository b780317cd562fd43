import { DatabaseSync } from 'node:sqlite'
import { parentPort, Worker, workerData } from 'node:worker_threads'
import { CarrelError, type Problem } from '../../model/errors.ts'
import { programFile } from '../../primitives/programs.ts'
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

interface Waiting {
  resolve(result: ReadResult<'search'>): void
  reject(error: CarrelError): void
}

export function createSearcher(options: SearcherOptions): Searcher {
  const waiting = new Map<number, Waiting>()
  let count = 0
  let thread: Worker | null = null
  let closed = false
  const refuse = (error: CarrelError) => {
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  const start = (): Worker => {
    const file = programFile('sqlite-searcher', new URL('./sqlite-searcher.ts', import.meta.url))
    const worker = new Worker(file, { workerData: { carrelSearcher: options } })
    worker.on('message', ({ id, result, problem }: Answered) => {
      const one = waiting.get(id)
      waiting.delete(id)
      if (problem) one?.reject(new CarrelError(problem.code, problem.message, problem.data))
      else if (result) one?.resolve(result)
      // An idle store keeps no process alive.
      if (waiting.size === 0) worker.unref()
    })
    // The next search begins another.
    const stopped = (cause?: unknown) => {
      if (thread === worker) thread = null
      refuse(new CarrelError('unavailable', 'The search has stopped. Try again.', undefined, cause))
    }
    worker.on('error', stopped)
    worker.once('exit', () => stopped())
    return worker
  }
  return {
    search(args) {
      if (closed) return Promise.reject(storeClosed())
      thread ??= start()
      thread.ref()
      const id = ++count
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        thread?.postMessage({ id, args } satisfies Asked)
      })
    },
    async close() {
      closed = true
      refuse(storeClosed())
      if (!thread) return
      const gone = new Promise((resolve) => thread?.once('exit', resolve))
      thread.ref()
      // Not terminated: the thread gives its file back itself.
      thread.postMessage('close')
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
