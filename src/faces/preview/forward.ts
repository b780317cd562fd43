import { Agent, type IncomingMessage, type ServerResponse } from 'node:http'
import type { LookupFunction, Socket } from 'node:net'
import { createProxyServer } from 'httpxy'
import { type Passage, passAnswer, passRequest } from './headers.ts'

/** Both loopback addresses, for any host name, since some programs listen on only one. */
const LOOPBACKS = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
]
const toLoopback: LookupFunction = (_name, _options, found) => found(null, LOOPBACKS)

export type Forwarder = ReturnType<typeof createForwarder>

/** Forwards requests to programs on the loopback of this machine only. */
export function createForwarder() {
  // One connection per request: cheap on a loopback, and a kept-alive one may be dead on its next use.
  const agent = new Agent({ keepAlive: false, lookup: toLoopback, autoSelectFamily: true } as object)
  const proxy = createProxyServer({ agent, prependPath: false })
  const passages = new WeakMap<IncomingMessage, Passage>()
  proxy.on('proxyRes', (answer, request) => {
    const passage = passages.get(request)
    if (passage) passAnswer(answer.headers, passage)
  })
  proxy.on('proxyReqWs', (asked, request) => {
    const passage = passages.get(request)
    const pass = (answer: IncomingMessage) => passage && passAnswer(answer.headers, passage)
    asked.prependOnceListener('upgrade', pass)
    asked.prependOnceListener('response', pass)
  })
  const begin = (request: IncomingMessage, passage: Passage) => {
    passages.set(request, passage)
    passRequest(request.headers, passage)
    return { target: `http://localhost:${passage.port}` }
  }
  return {
    /** @throws the connection error when no program answers, or it disconnects before its answer begins */
    web: (request: IncomingMessage, response: ServerResponse, passage: Passage): Promise<void> =>
      proxy.web(request, response, begin(request, passage)),
    /** Resolves when the socket is closed. @throws like `web` */
    socket: (request: IncomingMessage, socket: Socket, head: Buffer, passage: Passage): Promise<void> =>
      proxy.ws(request, socket, begin(request, passage), head),
  }
}
