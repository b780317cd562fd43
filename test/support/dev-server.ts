import { createHash } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** A stand-in for an agent's program: a small server with a page, a stream and an echo over a WebSocket. */
export interface DevServer {
  readonly port: number
  /** Requests that arrived, newest last. */
  readonly seen: { readonly method: string; readonly url: string; readonly headers: IncomingHttpHeaders }[]
  /** The open WebSockets. */
  readonly sockets: ReadonlySet<Socket>
  close(): Promise<void>
}

export async function openDevServer(port: number, answer: RequestListener, host = '127.0.0.1'): Promise<DevServer> {
  const seen: DevServer['seen'] = []
  const sockets = new Set<Socket>()
  const note = ({ method = '', url = '', headers }: IncomingMessage) =>
    seen.push({ method, url, headers: { ...headers } })
  const server = createServer((request, response) => {
    note(request)
    answer(request, response)
  })
  server.on('upgrade', (request, socket: Socket) => {
    note(request)
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.write(handshake(request.headers['sec-websocket-key'] ?? ''))
    socket.on('data', (frame: Buffer) => echo(socket, frame))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host }, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    sockets,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Builds the handshake of RFC 6455, 4.2.2, with a cookie for the whole domain, as a program may try to set. */
function handshake(key: string): string {
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  return `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nset-cookie: carrel_preview=taken; Path=/\r\nset-cookie: hmr=1; Domain=localhost\r\nsec-websocket-accept: ${accept}\r\n\r\n`
}

/** Sends short text frames of a client back; each frame arrives in one piece here. */
function echo(socket: Socket, frame: Buffer): void {
  const [first = 0, second = 0] = frame
  if ((first & 0x0f) === 8) return void socket.end(Buffer.from([0x88, 0]))
  const mask = frame.subarray(2, 6)
  const text = Buffer.from(frame.subarray(6, 6 + (second & 0x7f)).map((byte, at) => byte ^ (mask[at % 4] ?? 0)))
  const answer = Buffer.concat([Buffer.from('echo '), text])
  socket.write(Buffer.concat([Buffer.from([0x81, answer.length]), answer]))
}
