import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { asCarrelError, CarrelError, type Problem } from '../../model/errors.ts'
import { programFile } from '../../primitives/programs.ts'
import type { History } from './history.ts'
import { openDiskClock } from './log/clock.ts'
import './scan/watch.ts'
import { createWorkerCalls } from '../../primitives/worker-calls.ts'
import type { FromWorker, HistoryMethod, ToWorker, WorkerOptions } from './wire.ts'

export interface HistoryOptions {
  /** Folder of `files.db` and large content; made if missing. */
  readonly folder: string
  readonly now: () => number
}

type News = Parameters<Parameters<History['onNews']>[0]>[0]

/** Starts the thread that owns the file history. @throws unavailable when it cannot be opened */
export async function openHistory({ folder, now }: HistoryOptions): Promise<History> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const clock = openDiskClock(join(folder, 'tick'))
  const options: WorkerOptions = { folder, now: now() }
  const file = programFile('history', new URL('./worker.ts', import.meta.url))
  const worker = new Worker(file, { workerData: { carrelHistory: options } })
  const listeners = new Set<(news: News) => void>()
  await untilReady(worker).catch((error) => {
    clock.close()
    throw error
  })
  const wire = createWire(worker, (news) => {
    for (const listener of listeners) listener(news)
  })
  return {
    ...methods(wire.ask),
    ready: (key, signal) => wire.ask('ready', [key], signal) as Promise<void>,
    onNews(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    clock: clock.now,
    aliveBefore: clock.before,
    async close() {
      await wire.close()
      clock.close()
    },
  }
}

type Ask = (ask: HistoryMethod, args: readonly unknown[], signal?: AbortSignal) => Promise<unknown>

/** Methods that are passed on unchanged. */
const PASSED = [
  'open',
  'status',
  'accept',
  'capture',
  'keepFirst',
  'snapshots',
  'between',
  'changesBy',
  'pathHistory',
  'changesIn',
  'stateAt',
  'content',
  'diff',
  'gaps',
  'gapAt',
  'patch',
  'plan',
  'planDiff',
  'applyPlan',
  'acts',
  'pin',
  'pointedAt',
  'sweep',
  'usage',
  'forget',
] as const satisfies readonly HistoryMethod[]

type Passed = Pick<History, (typeof PASSED)[number]>

const methods = (ask: Ask): Passed =>
  Object.fromEntries(PASSED.map((name) => [name, (...args: unknown[]) => ask(name, args)])) as unknown as Passed

function createWire(worker: Worker, onNews: (news: News) => void) {
  // An idle history keeps no process alive.
  const calls = createWorkerCalls((busy) => (busy ? worker.ref() : worker.unref()))
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const post = (message: ToWorker) => worker.postMessage(message)
  worker.on('message', (message: FromWorker) => {
    if ('news' in message) onNews(message.news)
    if (!('id' in message)) return
    const { id, result, problem } = message
    if (problem) calls.reject(id, rebuilt(problem))
    else calls.resolve(id, result)
  })
  worker.on('error', (error: unknown) => calls.end(stopped(error)))
  worker.once('exit', () => calls.end(stopped(null)))
  worker.unref()

  const ask: Ask = (name, args, signal) => {
    if (signal?.aborted) return Promise.reject(cancelled(signal))
    let call = 0
    const answer = calls.begin((id) => {
      call = id
      post({ id, ask: name, args })
    })
    const onAbort = () => {
      post({ cancel: call })
      calls.reject(call, cancelled(signal))
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    return signal ? answer.finally(() => signal.removeEventListener('abort', onAbort)) : answer
  }
  const close = async () => {
    if (!calls.ended) {
      calls.refuse(new CarrelError('unavailable', 'The history of files is closed.'))
      worker.ref()
      post({ close: true })
    }
    await exited
  }
  return { ask, close }
}

function untilReady(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('error', (error) => reject(asCarrelError(error)))
    worker.once('message', (message: FromWorker) => {
      if ('failed' in message) reject(rebuilt(message.failed))
      else resolve()
    })
  })
}

const rebuilt = ({ code, message, data }: Problem): CarrelError => new CarrelError(code, message, data)

const cancelled = (signal: AbortSignal | undefined): CarrelError =>
  new CarrelError('unavailable', 'The request was cancelled.', undefined, signal?.reason)

function stopped(cause: unknown): CarrelError {
  const message = 'The history of files has stopped. Restart Carrel; everything acknowledged is stored.'
  return new CarrelError('unavailable', message, undefined, cause ?? undefined)
}
