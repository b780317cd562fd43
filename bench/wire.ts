import http from 'node:http'
import { connect, type Socket } from 'node:net'

/** Where a server listens and how it knows us. */
export interface Address {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/** Keeps connections: what is measured is the server and not the handshake. */
const agent = new http.Agent({ keepAlive: true, maxSockets: 512 })

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
}

/** Sends one request over a kept connection. Rejects for any status but 2xx. */
export function send(address: Address, method: string, path: string, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string | number> = { ...address.headers }
    if (body !== undefined) {
      headers['content-type'] = 'application/json'
      headers['content-length'] = Buffer.byteLength(body)
    }
    const request = http.request(`${address.url}${path}`, { method, headers, agent }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () => {
        const status = response.statusCode ?? 0
        if (status >= 200 && status < 300) resolve({ status, headers: response.headers, text })
        else reject(new Error(`${method} ${path} was answered ${status}: ${text.slice(0, 300)}`))
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** One kept connection for one caller, who sends the next request when the last was answered. */
export interface Line {
  /** Resolves with the body; rejects for any status but 2xx. */
  post(path: string, body: string): Promise<string>
  close(): void
}

/**
 * A caller that costs little itself: it writes a request as text and reads the answer by its length. With Node's own
 * client the caller takes more of the two cores than the server, and is what limits both servers.
 */
export async function openLine(address: Address): Promise<Line> {
  const { hostname, port } = new URL(address.url)
  const socket = await dial(hostname, Number(port))
  const fixed = Object.entries({ host: `${hostname}:${port}`, 'content-type': 'application/json', ...address.headers })
  const head = fixed.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  let waiting: PromiseWithResolvers<string> | null = null
  let had = ''
  const fail = (error: Error) => waiting?.reject(error)
  socket.setEncoding('latin1')
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('The server hung up.')))
  socket.on('data', (text) => {
    had += text
    const answer = answerIn(had)
    if (answer === null) return
    had = ''
    if (answer.status >= 200 && answer.status < 300) waiting?.resolve(answer.body)
    else fail(new Error(`The answer was ${answer.status}: ${answer.body.slice(0, 300)}`))
  })
  return {
    post(path, body) {
      waiting = Promise.withResolvers()
      socket.write(`POST ${path} HTTP/1.1\r\n${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
      return waiting.promise
    },
    close: () => void socket.destroy(),
  }
}

/** A whole answer, or null while some of it is still to come. */
function answerIn(text: string): { status: number; body: string } | null {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return null
  const head = text.slice(0, end)
  const body = text.slice(end + 4)
  const status = Number(head.slice(9, 12))
  if (/^transfer-encoding: *chunked/im.test(head)) return body.endsWith('0\r\n\r\n') ? { status, body } : null
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
  return body.length >= length ? { status, body } : null
}

function dial(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true }, () => resolve(socket))
    socket.once('error', reject)
  })
}

export interface Stream {
  close(): void
}

/**
 * Opens an event stream on a connection of its own and hands on its text as it comes, cut wherever the network cut it.
 * Resolves when the head of the answer is there.
 */
export function listen(address: Address, path: string, onText: (text: string) => void): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const headers = { ...address.headers, accept: 'text/event-stream' }
    const request = http.request(`${address.url}${path}`, { headers, agent: false }, (response) => {
      if (response.statusCode !== 200) {
        request.destroy()
        reject(new Error(`GET ${path} was answered ${response.statusCode}`))
        return
      }
      response.setEncoding('utf8')
      response.on('data', onText)
      response.on('error', () => undefined)
      resolve({ close: () => request.destroy() })
    })
    request.on('error', reject)
    request.end()
  })
}

export const closeKept = (): void => agent.destroy()
