import { join } from 'node:path'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { CarrelError } from '../../model/errors.ts'
import { openCore } from './core.ts'
import { explainError } from './log/db.ts'
import type { FromWorker, ToWorker, WorkerOptions } from './wire.ts'

/** Serves the thread that owns `files.db`. Answers several requests concurrently. */
function serve(port: MessagePort, options: WorkerOptions): void {
  const send = (message: FromWorker) => port.postMessage(message)
  const core = openCore(join(options.folder), options.now, (news) => send({ news }))
  const answer = async (id: number, work: () => Promise<unknown>) => {
    try {
      send({ id, result: await work() })
    } catch (error) {
      send({ id, problem: explainError(error).toJSON() })
    }
  }
  const close = async () => {
    await core.close()
    port.close()
  }
  port.on('message', (message: ToWorker) => {
    if ('close' in message) void close()
    else if ('ask' in message) void answer(message.id, () => ask(core.history, message))
  })
  send({ ready: true, problem: core.problem })
}

async function ask(history: object, { ask: name, args }: Extract<ToWorker, { ask: unknown }>): Promise<unknown> {
  const method = (history as Record<string, ((...args: readonly unknown[]) => unknown) | undefined>)[name]
  if (!method) throw new CarrelError('internal', `The history of files does not know ${name}.`)
  return method(...args)
}

const options = workerData as { carrelHistory?: WorkerOptions } | null
if (parentPort && options?.carrelHistory) {
  const port = parentPort
  try {
    serve(port, options.carrelHistory)
  } catch (error) {
    port.postMessage({ failed: explainError(error).toJSON() } satisfies FromWorker)
    port.close()
  }
}
