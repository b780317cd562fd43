import { mkdirSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { asCarrelError, CarrelError, type Problem } from '../../model/errors.ts'
import { programFile } from '../../primitives/programs.ts'
import type { History } from './history.ts'
import './watch.ts'
import type { Asked, FromWorker, ToWorker, WorkerOptions } from './wire.ts'

export interface HistoryOptions {
  /** Where `files.db` and large content are kept; made if missing. */
  readonly folder: string
  readonly now: () => number
}

type News = Parameters<Parameters<History['onNews']>[0]>[0]

interface Waiting {
  resolve(result: unknown): void
  reject(error: CarrelError): void
}

/**
 * Starts the one thread that owns the history of this machine's files. Everything else here only passes messages.
 * @throws unavailable when it cannot be opened
 */
export async function openHistory({ folder, now }: HistoryOptions): Promise<History> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const options: WorkerOptions = { folder, now: now() }
  const file = programFile('history', new URL('./worker.ts', import.meta.url))
  const worker = new Worker(file, { workerData: { carrelHistory: options } })
  const listeners = new Set<(news: News) => void>()
  await untilReady(worker)
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
    close: wire.close,
  }
}

type Ask = (ask: Asked, args: readonly unknown[], signal?: AbortSignal) => Promise<unknown>

/** Methods that say nothing of their own. */
const PASSED = [
  'open',
  'status',
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
] as const satisfies readonly Asked[]

type Passed = Pick<History, (typeof PASSED)[number]>

const methods = (ask: Ask): Passed =>
  Object.fromEntries(PASSED.map((name) => [name, (...args: unknown[]) => ask(name, args)])) as unknown as Passed

function createWire(worker: Worker, onNews: (news: News) => void) {
  const waiting = new Map<number, Waiting>()
  let ended: CarrelError | null = null
  let count = 0
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const end = (error: CarrelError) => {
    ended ??= error
    for (const { reject } of waiting.values()) reject(ended)
    waiting.clear()
  }
  const post = (message: ToWorker) => worker.postMessage(message)
  const settle = (id: number, settled: (one: Waiting) => void) => {
    const one = waiting.get(id)
    waiting.delete(id)
    if (one) settled(one)
    // An idle history keeps no process alive.
    if (waiting.size === 0) worker.unref()
  }
  worker.on('message', (message: FromWorker) => {
    if ('news' in message) onNews(message.news)
    if (!('id' in message)) return
    const { id, result, problem } = message
    settle(id, (one) => (problem ? one.reject(rebuilt(problem)) : one.resolve(result)))
  })
  worker.on('error', (error: unknown) => end(stopped(error)))
  worker.once('exit', () => end(stopped(null)))
  worker.unref()

  const ask: Ask = (name, args, signal) => {
    if (ended) return Promise.reject(ended)
    if (signal?.aborted) return Promise.reject(cancelled(signal))
    const id = ++count
    if (waiting.size === 0) worker.ref()
    const answer = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }))
    post({ id, ask: name, args })
    const onAbort = () => {
      post({ cancel: id })
      settle(id, (one) => one.reject(cancelled(signal)))
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    return signal ? answer.finally(() => signal.removeEventListener('abort', onAbort)) : answer
  }
  const close = async () => {
    if (!ended) {
      ended = new CarrelError('unavailable', 'The history of files is closed.')
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
  new CarrelError('unavailable', 'Nobody waits for this any longer.', undefined, signal?.reason)

function stopped(cause: unknown): CarrelError {
  const message = 'The keeper of the history of files has stopped. Start Carrel again; what was acknowledged is kept.'
  return new CarrelError('unavailable', message, undefined, cause ?? undefined)
}
