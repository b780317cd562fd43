import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { connect } from '../../client/client.ts'
import { CarrelError, type Problem } from '../../model/errors.ts'
import type { Config } from '../../model/settings/config.ts'
import { programFile } from '../../primitives/programs.ts'
import { createWorkerCalls } from '../../primitives/worker-calls.ts'
import type { OpenedCarrel, Served, ServeOptions } from './opened.ts'

/** Request of a program to Carrel in its child process, over Node's IPC channel. Each request has one reply. */
export type LibraryRequest =
  | { readonly open: Partial<Config> & { dataFolder: string } }
  | { readonly serve: ServeOptions }
  | { readonly unserve: string }
  | { readonly close: true }
export interface LibraryReply {
  readonly id: number
  readonly result?: unknown
  readonly problem?: Problem
}
export interface ChildAddress {
  readonly url: string
  readonly token: string
  readonly dataFolder: string
}

/**
 * Opens Carrel in a child process on `node`, for a program whose own Node is too old. All calls go over HTTP on the
 * loopback, and logs name the token holder as the caller instead of the library. The child ends with this program, also
 * when the program is killed.
 * @see openCarrel in src/index.ts
 */
export async function openBeside(
  config: Partial<Config> & { dataFolder: string },
  node: string,
): Promise<OpenedCarrel> {
  const file = fileURLToPath(programFile('library', new URL('./library.ts', import.meta.url)))
  const child = spawn(node, [file], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const channel = openChannel(child)
  const { url, token, dataFolder } = (await channel.send({ open: config })) as ChildAddress
  const { call, follow } = connect({ url, token })
  const close = async (): Promise<void> => {
    if (channel.ended()) return
    await channel.send({ close: true }).catch((error: CarrelError) => {
      if (!channel.ended()) throw error
    })
  }
  return {
    call,
    follow,
    dataFolder,
    token,
    serve: async (options = {}) => {
      const served = (await channel.send({ serve: options })) as Omit<Served, 'close'>
      return { ...served, close: async () => void (channel.ended() || (await channel.send({ unserve: served.url }))) }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Opens the channel to a child, which keeps the program alive only while a reply is pending. */
function openChannel(child: ChildProcess) {
  const calls = createWorkerCalls((busy) => (busy ? child.channel?.ref() : child.channel?.unref()))
  const end = (message: string, cause?: unknown) => calls.end(new CarrelError('unavailable', message, undefined, cause))
  child.on('error', (error) => end(`The Node that Carrel needs cannot be started: ${error.message}.`, error))
  child.on('exit', () => end('Carrel has ended. Open it again; acknowledged requests are saved.'))
  child.on('message', (message) => {
    const { id, result, problem } = message as LibraryReply
    if (problem) calls.reject(id, new CarrelError(problem.code, problem.message, problem.data))
    else calls.resolve(id, result)
  })
  child.unref()
  return {
    ended: () => calls.ended,
    send: (request: LibraryRequest): Promise<unknown> =>
      calls.begin((id) => {
        // Without a callback, a closed channel would throw later and elsewhere.
        child.send({ id, ...request }, (error) => error && end('Carrel has ended. Open it again.', error))
      }),
  }
}
