import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { type Duplex, pipeline } from 'node:stream'
import { letsThrough } from '../../model/settings/hosts.ts'

export interface ProxyOptions {
  /** Path of the unix socket that it listens on. */
  readonly socket: string
  readonly hosts: readonly string[]
  /** Proxy of the machine itself, with the hosts that bypass it; null for none. */
  readonly upstream: Upstream | null
  /** Called for each connection that was refused. */
  readonly onStopped: (target: string) => void
}

export interface Upstream {
  readonly url: string
  readonly except: readonly string[]
}

interface Target {
  readonly host: string
  readonly port: number
}

/** Headers of one hop, which are not passed on. */
const OWN_HEADERS = new Set(['proxy-authorization', 'proxy-connection', 'connection', 'keep-alive', 'te', 'trailer'])

/** Serves the only way out of a strict sandbox: to listed hosts, resolved here. Others get a 403 and are reported. */
export async function serveProxy(options: ProxyOptions): Promise<Server> {
  const server = createServer({ requestTimeout: 0 }, (incoming, answer) => pass(incoming, answer, options))
  server.on('connect', (incoming: IncomingMessage, socket: Duplex, head: Buffer) =>
    tunnel(incoming, socket, head, options),
  )
  server.on('clientError', (_error, socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.socket, resolve)
  })
  return server
}

function pass(incoming: IncomingMessage, answer: ServerResponse, options: ProxyOptions): void {
  const url = URL.canParse(incoming.url ?? '') ? new URL(incoming.url ?? '') : null
  if (url?.protocol !== 'http:') return void answer.writeHead(400).end('This proxy needs absolute URLs.\n')
  const target = { host: bare(url.hostname), port: Number(url.port || 80) }
  if (!letsThrough(options.hosts, target.host, target.port)) {
    incoming.resume()
    options.onStopped(nameOf(target))
    return void answer.writeHead(403, { 'content-type': 'text/plain' }).end(refusal(target))
  }
  const via = viaUpstream(target, options.upstream)
  const kept = Object.entries(incoming.headers).filter(([name]) => !OWN_HEADERS.has(name))
  const headers = { ...Object.fromEntries(kept), host: url.host, ...via?.headers }
  const path = via ? url.href : `${url.pathname}${url.search}`
  const onward = request({ ...(via ?? target), method: incoming.method, path, headers, agent: false })
  onward.once('response', (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers)
    pipeline(response, answer, () => undefined)
  })
  onward.once('error', (error) => {
    if (answer.headersSent) answer.destroy()
    else
      answer
        .writeHead(502, { 'content-type': 'text/plain' })
        .end(`${nameOf(target)} cannot be reached: ${error.message}\n`)
  })
  answer.once('close', () => onward.destroy())
  pipeline(incoming, onward, () => undefined)
}

function tunnel(incoming: IncomingMessage, socket: Duplex, head: Buffer, options: ProxyOptions): void {
  socket.on('error', () => undefined)
  const [, host = '', port = ''] = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(incoming.url ?? '') ?? []
  const target = { host: bare(host), port: Number(port) }
  if (host === '') return refuse(socket, '400 Bad Request', 'CONNECT needs a host and a port.\n')
  if (!letsThrough(options.hosts, target.host, target.port)) {
    options.onStopped(nameOf(target))
    return refuse(socket, '403 Forbidden', refusal(target))
  }
  const through = (far: Duplex) => {
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
    far.write(head)
    pipeline(socket, far, () => undefined)
    pipeline(far, socket, () => undefined)
  }
  const failed = (why: string) => refuse(socket, '502 Bad Gateway', `${nameOf(target)} cannot be reached: ${why}\n`)
  const via = viaUpstream(target, options.upstream)
  if (via) {
    const path = nameOf(target)
    const asked = request({ ...via, method: 'CONNECT', path, headers: { host: path, ...via.headers }, agent: false })
    asked.once('connect', (response, far) => {
      if (response.statusCode === 200) return through(far)
      far.destroy()
      failed(`the proxy of this machine answered ${response.statusCode}`)
    })
    asked.once('error', (error) => failed(error.message))
    asked.end()
    return
  }
  const far = connect(target.port, target.host)
  const early = (error: Error) => failed(error.message)
  far.once('error', early)
  far.once('connect', () => {
    far.off('error', early)
    through(far)
  })
  socket.once('close', () => far.destroy())
}

function viaUpstream({ host, port }: Target, upstream: Upstream | null) {
  if (!upstream || letsThrough(upstream.except, host, port)) return null
  const { hostname, port: at, username, password } = new URL(upstream.url)
  const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  const headers: Record<string, string> = username === '' ? {} : { 'proxy-authorization': `Basic ${basic}` }
  return { host: bare(hostname), port: Number(at || 80), headers }
}

/** Reads the proxy of this machine from an environment. An unsupported kind counts as none. */
export function upstreamOf(env: Readonly<Record<string, string | undefined>>): Upstream | null {
  const named = (name: string) => env[name] || env[name.toLowerCase()] || ''
  const url = named('HTTPS_PROXY') || named('HTTP_PROXY') || named('ALL_PROXY')
  if (!URL.canParse(url) || new URL(url).protocol !== 'http:') return null
  const names = named('NO_PROXY')
    .split(/[\s,]+/)
    .filter((name) => name !== '')
  const except = names.map((name) => name.replace(/^\*?\./, ''))
  return { url, except: except.flatMap((name) => [name, `*.${name}`]) }
}

const bare = (host: string) => host.replace(/^\[(.*)\]$/, '$1')
const nameOf = ({ host, port }: Target) => `${host.includes(':') ? `[${host}]` : host}:${port}`
const refusal = (target: Target) =>
  `The sandbox blocks connections to ${nameOf(target)}. A person can add the host to the hosts of this Space.\n`

function refuse(socket: Duplex, status: string, text: string): void {
  const head = `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n`
  socket.end(head + text)
}
