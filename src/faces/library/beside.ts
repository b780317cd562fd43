import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { connect } from '../../client/client.ts'
import type { Config } from '../../model/config.ts'
import { CarrelError, type Problem } from '../../model/errors.ts'
import { programFile } from '../../primitives/programs.ts'
import { createWorkerCalls } from '../../primitives/worker-calls.ts'
import type { OpenedCarrel, Served, ServeOptions } from './opened.ts'

/** Words between a program and the Carrel beside it, over the channel that Node makes. Each ask has one answer. */
export type Ask =
  | { readonly open: Partial<Config> & { dataFolder: string } }
  | { readonly serve: ServeOptions }
  | { readonly unserve: string }
  | { readonly close: true }
export interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly problem?: Problem
}
export interface Beside {
  readonly url: string
  readonly token: string
  readonly dataFolder: string
}

/**
 * Opens Carrel in a process of its own that runs on `node`, for a program whose own Node is too old for it. Everything goes
 * over HTTP on the loopback, and callers are named by the token instead of as a library. It ends with this program, also
 * where that is killed.
 *
 * @see openCarrel in src/index.ts
 */
export async function openBeside(
  config: Partial<Config> & { dataFolder: string },
  node: string,
): Promise<OpenedCarrel> {
  const file = fileURLToPath(programFile('library', new URL('./library.ts', import.meta.url)))
  const child = spawn(node, [file], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const line = talk(child)
  const { url, token, dataFolder } = (await line.ask({ open: config })) as Beside
  const { call, follow } = connect({ url, token })
  const close = async (): Promise<void> => {
    if (line.ended()) return
    await line.ask({ close: true }).catch((error: CarrelError) => {
      if (!line.ended()) throw error
    })
  }
  return {
    call,
    follow,
    dataFolder,
    token,
    serve: async (options = {}) => {
      const served = (await line.ask({ serve: options })) as Omit<Served, 'close'>
      return { ...served, close: async () => void (line.ended() || (await line.ask({ unserve: served.url }))) }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** An idle Carrel keeps no program alive: its channel holds the loop only while an answer is waited for. */
function talk(child: ChildProcess) {
  const calls = createWorkerCalls((busy) => (busy ? child.channel?.ref() : child.channel?.unref()))
  const end = (message: string, cause?: unknown) => calls.end(new CarrelError('unavailable', message, undefined, cause))
  child.on('error', (error) => end(`The Node that Carrel needs cannot be started: ${error.message}.`, error))
  child.on('exit', () => end('Carrel has ended. Open it again; what was acknowledged is kept.'))
  child.on('message', (message) => {
    const { id, result, problem } = message as Answer
    if (problem) calls.reject(id, new CarrelError(problem.code, problem.message, problem.data))
    else calls.resolve(id, result)
  })
  child.unref()
  return {
    ended: () => calls.ended,
    ask: (ask: Ask): Promise<unknown> =>
      calls.begin((id) => {
        // Without a callback, `send` on a closed channel throws later and elsewhere.
        child.send({ id, ...ask }, (error) => error && end('Carrel has ended. Open it again.', error))
      }),
  }
}
