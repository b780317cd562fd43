import { lstatSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { WebSocket } from 'ws'
import { z } from 'zod'

/** A connection to a browser by the DevTools protocol. What comes from there is read by whoever asks for it. */
export interface Cdp {
  /** @throws Error when the browser refuses, or is gone */
  send(method: string, params?: object, session?: string): Promise<unknown>
  /** Resolves when it is over, whoever ended it. Never rejects. */
  readonly closed: Promise<void>
  close(): void
}

export interface CdpEvent {
  readonly method: string
  readonly params: unknown
  readonly session: string | null
}

/** A picture of a large window is some hundred kilobytes. */
const MAX_MESSAGE_BYTES = 33_554_432
const OPEN_MS = 10_000
/** A browser that says nothing to a command for this long is stuck. */
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

interface Asked {
  resolve(result: unknown): void
  reject(error: Error): void
  readonly timer: NodeJS.Timeout
}

/** Connects by a unix socket, at which a browser answers as at its port. @throws Error when it does not in time */
export async function openCdp(socketPath: string, onEvent: (event: CdpEvent) => void): Promise<Cdp> {
  // What is within the walls may write there: no link leads the server elsewhere.
  if (!lstatSync(socketPath).isSocket()) throw new Error(`${socketPath} is not the socket of a browser.`)
  const { webSocketDebuggerUrl } = Version.parse(JSON.parse(await get(socketPath, '/json/version')))
  const { pathname } = new URL(webSocketDebuggerUrl)
  const socket = new WebSocket(`ws://127.0.0.1${pathname}`, {
    createConnection: () => connect(socketPath),
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    handshakeTimeout: OPEN_MS,
  })
  const asked = new Map<number, Asked>()
  let last = 0
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      for (const { reject, timer } of asked.values()) {
        clearTimeout(timer)
        reject(new Error('The browser has ended.'))
      }
      asked.clear()
      resolve()
    })
  })
  socket.on('message', (data) => {
    const message = Message.safeParse(parsed(data))
    if (!message.success) return
    const { id, method, params, sessionId, result, error } = message.data
    if (id === undefined) return void (method !== undefined && onEvent({ method, params, session: sessionId ?? null }))
    const waiting = asked.get(id)
    if (!waiting) return
    asked.delete(id)
    clearTimeout(waiting.timer)
    if (error) waiting.reject(new Error(error.message))
    else waiting.resolve(result)
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.on('error', reject)
  })
  return {
    closed,
    close: () => socket.terminate(),
    send(method, params = {}, session) {
      if (socket.readyState !== WebSocket.OPEN) return Promise.reject(new Error('The browser has ended.'))
      last += 1
      const id = last
      const answer = new Promise<unknown>((resolve, reject) => {
        const timer = setTimeout(() => {
          asked.delete(id)
          reject(new Error(`The browser did not answer ${method}.`))
        }, ANSWER_MS)
        asked.set(id, { resolve, reject, timer })
      })
      socket.send(JSON.stringify({ id, method, params, ...(session !== undefined && { sessionId: session }) }))
      return answer
    },
  }
}

function parsed(data: unknown): unknown {
  try {
    return JSON.parse(String(data))
  } catch {
    return null
  }
}

function get(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, headers: { host: '127.0.0.1' }, timeout: OPEN_MS }, async (answer) => {
      try {
        let text = ''
        for await (const chunk of answer) {
          text += chunk
          if (text.length > 65_536) throw new Error('The browser says too much of itself.')
        }
        resolve(text)
      } catch (thrown) {
        reject(thrown)
      }
    })
    asked.once('timeout', () => asked.destroy(new Error('The browser did not answer.')))
    asked.once('error', reject)
    asked.end()
  })
}
