import { Worker } from 'node:worker_threads'
import { asCarrelError, CarrelError, type Problem } from '../../model/errors.ts'
import { programFile } from '../../primitives/programs.ts'
import { createWorkerCalls } from '../../primitives/worker-calls.ts'
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
  // An idle store keeps no process alive.
  const calls = createWorkerCalls((busy) => (busy ? worker.ref() : worker.unref()))
  let queue: Job[] = []
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const postAlone = (job: Job) => {
    try {
      worker.postMessage({ jobs: [job] } satisfies ToWriter)
    } catch (error) {
      calls.reject(job.id, asCarrelError(error))
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
      if (problem) calls.reject(id, rebuilt(problem))
      else calls.resolve(id, result)
    }
    for (const each of message.rings) ring(each)
  })
  worker.on('error', (error: unknown) => calls.end(stopped(error)))
  worker.once('exit', () => calls.end(stopped(null)))
  worker.unref()

  return {
    write: (name, args) =>
      calls.begin((id) => {
        // Once the requests that are at hand have been read: they cross to the thread in one message, for one commit.
        if (queue.push({ id, name, args }) === 1) setImmediate(flush)
      }),
    async close() {
      if (!calls.ended) {
        calls.refuse(new CarrelError('unavailable', 'The store is closed.'))
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
