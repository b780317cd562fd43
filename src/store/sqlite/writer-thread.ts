import { Worker } from 'node:worker_threads'
import { asCarrelError, CarrelError, type Problem } from '../../model/errors.ts'
import type { ReportProgress } from '../../model/upgrade.ts'
import { programFile } from '../../primitives/programs.ts'
import { createWorkerCalls, type WorkerCalls } from '../../primitives/worker-calls.ts'
import type { WriteName } from '../sql/operations.ts'
import type { Ring } from '../store.ts'
import type { FromWriter, ToWriter, WriteJob, WriterOptions } from './sqlite-writer.ts'

/** Starts the writer and waits until the database is open. @throws unavailable when the database cannot be opened */
export async function openWriter(
  options: WriterOptions,
  ring: (ring: Ring) => void,
  say: ReportProgress = () => undefined,
): Promise<WriterThread> {
  const worker = new Worker(programFile('sqlite-writer', new URL('./sqlite-writer.ts', import.meta.url)), {
    // Its objects live for one commit: a larger young generation would only be kept.
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
    workerData: { carrelWriter: options },
  })
  await untilReady(worker, say)
  return new WriterThread(worker, ring)
}

/** The writer's thread, as the main thread uses it. */
export class WriterThread {
  readonly #worker: Worker
  readonly #ring: (ring: Ring) => void
  readonly #exited: Promise<void>
  readonly #calls: WorkerCalls
  #queue: WriteJob[] = []

  constructor(worker: Worker, ring: (ring: Ring) => void) {
    this.#worker = worker
    this.#ring = ring
    // An idle store keeps no process alive.
    this.#calls = createWorkerCalls((busy) => (busy ? worker.ref() : worker.unref()))
    this.#exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    worker.on('message', (message: FromWriter) => this.#receive(message))
    worker.on('error', (error: unknown) => this.#calls.end(stopped(error)))
    worker.once('exit', () => this.#calls.end(stopped(null)))
    worker.unref()
  }

  /** Resolves after the commit of the write, or rejects and has changed nothing. */
  write(name: WriteName, args: readonly unknown[]): Promise<unknown> {
    return this.#calls.begin((id) => {
      // Posted after all pending requests were read, so that they cross in one message and share one commit.
      if (this.#queue.push({ id, name, args }) === 1) setImmediate(() => this.#flush())
    })
  }

  /** Resolves when all earlier writes are committed and the thread has ended. Safe to repeat. */
  async close(): Promise<void> {
    if (!this.#calls.ended) {
      this.#calls.refuse(new CarrelError('unavailable', 'The store is closed.'))
      this.#worker.ref()
      setImmediate(() => this.#worker.postMessage({ close: true } satisfies ToWriter))
    }
    await this.#exited
  }

  #receive(message: FromWriter): void {
    if (!('done' in message)) return
    for (const { id, result, problem } of message.done) {
      if (problem) this.#calls.reject(id, rebuilt(problem))
      else this.#calls.resolve(id, result)
    }
    for (const ring of message.rings) this.#ring(ring)
  }

  #flush(): void {
    const jobs = this.#queue
    this.#queue = []
    try {
      this.#worker.postMessage({ jobs } satisfies ToWriter)
    } catch {
      // One job holds a value that cannot be cloned, perhaps a function: the others still can.
      for (const job of jobs) this.#postAlone(job)
    }
  }

  #postAlone(job: WriteJob): void {
    try {
      this.#worker.postMessage({ jobs: [job] } satisfies ToWriter)
    } catch (error) {
      this.#calls.reject(job.id, asCarrelError(error))
    }
  }
}

function untilReady(worker: Worker, say: ReportProgress): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('error', (error) => reject(asCarrelError(error)))
    const receive = (message: FromWriter) => {
      if ('upgrading' in message) return say(...message.upgrading)
      worker.off('message', receive)
      if ('failed' in message) reject(rebuilt(message.failed))
      else resolve()
    }
    worker.on('message', receive)
  })
}

const rebuilt = ({ code, message, data }: Problem): CarrelError => new CarrelError(code, message, data)

function stopped(cause: unknown): CarrelError {
  const message = 'The database writer has stopped. Restart Carrel. Acknowledged writes are kept.'
  return new CarrelError('unavailable', message, undefined, cause ?? undefined)
}
