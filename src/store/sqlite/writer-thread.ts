import { Worker } from 'node:worker_threads'
import { asCarrelError, CarrelError, type Problem } from '../../model/errors.ts'
import { programFile } from '../../primitives/programs.ts'
import type { WriteName } from '../sql/operations.ts'
import type { Ring } from '../store.ts'
import type { Say } from '../upgrade/copies.ts'
import type { FromWriter, Job, ToWriter, WriterOptions } from './sqlite-writer.ts'

/** The writer's thread, seen from those who write. */
export interface WriterThread {
  /** Resolves after the commit that holds it, or rejects and has changed nothing. */
  write(name: WriteName, args: unknown): Promise<unknown>
  /** Ends when all that was asked for is committed. Safe to repeat. */
  close(): Promise<void>
}

interface Waiting {
  resolve(result: unknown): void
  reject(error: CarrelError): void
}

/**
 * Starts the writer and waits until the database is open.
 * @throws unavailable when it cannot be opened
 */
export async function openWriter(
  options: WriterOptions,
  ring: (ring: Ring) => void,
  say: Say = () => undefined,
): Promise<WriterThread> {
  const worker = new Worker(programFile('sqlite-writer', new URL('./sqlite-writer.ts', import.meta.url)), {
    // What it makes lives for one commit: more room would only be held.
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
    workerData: { carrelWriter: options },
  })
  const waiting = new Map<number, Waiting>()
  let ended: CarrelError | null = null
  let queue: Job[] = []
  let count = 0
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const end = (error: CarrelError) => {
    ended ??= error
    for (const { reject } of waiting.values()) reject(ended)
    waiting.clear()
  }
  const postAlone = (job: Job) => {
    try {
      worker.postMessage({ jobs: [job] } satisfies ToWriter)
    } catch (error) {
      waiting.get(job.id)?.reject(asCarrelError(error))
      waiting.delete(job.id)
    }
  }
  const flush = () => {
    const jobs = queue
    queue = []
    try {
      worker.postMessage({ jobs } satisfies ToWriter)
    } catch {
      // One of them holds what cannot cross, a function perhaps: the others still can.
      for (const job of jobs) postAlone(job)
    }
  }

  await untilReady(worker, say)
  worker.on('message', (message: FromWriter) => {
    if (!('done' in message)) return
    for (const { id, result, problem } of message.done) {
      const one = waiting.get(id)
      waiting.delete(id)
      if (problem) one?.reject(rebuilt(problem))
      else one?.resolve(result)
    }
    for (const each of message.rings) ring(each)
    // An idle store keeps no process alive.
    if (waiting.size === 0) worker.unref()
  })
  worker.on('error', (error: unknown) => end(stopped(error)))
  worker.once('exit', () => end(stopped(null)))
  worker.unref()

  return {
    write(name, args) {
      if (ended) return Promise.reject(ended)
      const id = ++count
      // Once the requests that are at hand have been read: they cross to the thread in one message, for one commit.
      if (queue.push({ id, name, args }) === 1) setImmediate(flush)
      if (waiting.size === 0) worker.ref()
      return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }))
    },
    async close() {
      if (!ended) {
        ended = new CarrelError('unavailable', 'The store is closed.')
        worker.ref()
        setImmediate(() => worker.postMessage({ close: true } satisfies ToWriter))
      }
      await exited
    },
  }
}

function untilReady(worker: Worker, say: Say): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('error', (error) => reject(asCarrelError(error)))
    const hear = (message: FromWriter) => {
      if ('upgrading' in message) return say(...message.upgrading)
      worker.off('message', hear)
      if ('failed' in message) reject(rebuilt(message.failed))
      else resolve()
    }
    worker.on('message', hear)
  })
}

const rebuilt = ({ code, message, data }: Problem): CarrelError => new CarrelError(code, message, data)

function stopped(cause: unknown): CarrelError {
  const message = 'The writer of the database has stopped. Start Carrel again; what was acknowledged is kept.'
  return new CarrelError('unavailable', message, undefined, cause ?? undefined)
}
