import { lstatSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { parseJson } from '../../primitives/json.ts'
import { awakeTimeout } from '../../primitives/timers.ts'

/** A connection to a browser by CDP, the Chrome DevTools Protocol. Results are unchecked: callers parse them. */
export type Cdp = Awaited<ReturnType<typeof openCdp>>

export interface CdpEvent {
  readonly method: string
  readonly params: unknown
  readonly session: string | null
}

/** Pictures of large windows have some hundred kilobytes. */
const MAX_MESSAGE_BYTES = 33_554_432
const OPEN_MS = 10_000
/** Browsers that do not answer a command within this time are stuck. ms. */
const ANSWER_MS = 15_000

const Version = z.object({ webSocketDebuggerUrl: z.string() })
const Message = z.object({
  id: z.number().optional(),
  method: z.string().optional(),
  params: z.unknown().optional(),
  sessionId: z.string().optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
})

interface PendingCommand {
  resolve(result: unknown): void
  reject(error: Error): void
  readonly stop: () => void
}

/** Connects through a unix socket that answers as the browser's CDP port does. @throws Error without an answer in time */
export async function openCdp(socketPath: string, onEvent: (event: CdpEvent) => void) {
  // The sandboxed browser can write to this folder: a symbolic link must not lead the server elsewhere.
  if (!lstatSync(socketPath).isSocket()) throw new Error(`${socketPath} is not the socket of a browser.`)
  const { webSocketDebuggerUrl } = Version.parse(JSON.parse(await get(socketPath, '/json/version')))
  const { pathname } = new URL(webSocketDebuggerUrl)
  const socket = new WebSocket(`ws://127.0.0.1${pathname}`, {
    createConnection: () => connect(socketPath),
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    handshakeTimeout: OPEN_MS,
  })
  const pending = new Map<number, PendingCommand>()
  let last = 0
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      for (const { reject, stop } of pending.values()) {
        stop()
        reject(new Error('The browser has ended.'))
      }
      pending.clear()
      resolve()
    })
  })
  socket.on('message', (data) => {
    const message = Message.safeParse(parseJson(String(data)))
    if (!message.success) return
    const { id, method, params, sessionId, result, error } = message.data
    if (id === undefined) return void (method !== undefined && onEvent({ method, params, session: sessionId ?? null }))
    const command = pending.get(id)
    if (!command) return
    pending.delete(id)
    command.stop()
    if (error) command.reject(new Error(error.message))
    else command.resolve(result)
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.on('error', reject)
  })
  return {
    /** Resolves when the connection has ended, from either side. Never rejects. */
    closed,
    close: (): void => socket.terminate(),
    /** Sends a command and returns its result. @throws Error when the browser refuses, does not answer in time, or has ended */
    send(method: string, params: object = {}, session?: string): Promise<unknown> {
      if (socket.readyState !== WebSocket.OPEN) return Promise.reject(new Error('The browser has ended.'))
      last += 1
      const id = last
      const answer = new Promise<unknown>((resolve, reject) => {
        const stop = awakeTimeout(ANSWER_MS, () => {
          pending.delete(id)
          reject(new Error(`The browser did not answer ${method}.`))
        })
        pending.set(id, { resolve, reject, stop })
      })
      socket.send(JSON.stringify({ id, method, params, ...(session !== undefined && { sessionId: session }) }))
      return answer
    },
  }
}

function get(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, headers: { host: '127.0.0.1' }, timeout: OPEN_MS }, async (answer) => {
      try {
        let text = ''
        for await (const chunk of answer) {
          text += chunk
          if (text.length > 65_536) throw new Error('The answer of the browser is too long.')
        }
        resolve(text)
      } catch (thrown) {
        reject(thrown)
      }
    })
    sent.once('timeout', () => sent.destroy(new Error('The browser did not answer.')))
    sent.once('error', reject)
    sent.end()
  })
}
