import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Output } from '../../api/index.ts'
import type { Engine } from '../../engine/engine.ts'
import { asCarrelError } from '../../model/errors.ts'
import { localPath } from '../http/auth.ts'
import { cookiesNamed } from '../http/cookies.ts'
import { createForwarder, type Forwarder } from './forward.ts'
import type { Passage } from './headers.ts'
import type { PreviewHost, PreviewHosts } from './hosts.ts'
import type { PreviewLogin, PreviewLogins } from './logins.ts'
import {
  goneNotice,
  loginNotice,
  NOT_HERE,
  NOT_YOURS,
  type Notice,
  refusedNotice,
  sendNotice,
  silentNotice,
  UNREACHABLE,
} from './notices.ts'

interface PreviewContext {
  readonly engine: Engine
  readonly hosts: PreviewHosts
  readonly logins: PreviewLogins
  readonly forwarder: Forwarder
}

/** Reserved path of a preview's origin, never forwarded. */
export const ENTER = '/.carrel/enter'
const RESERVED = /^\/\.carrel(?:[/?]|$)/
const COOKIE = 'carrel_preview'
/** Cookie with Carrel's host as used by this browser, for the way back. */
const CAME = 'carrel_came'
const CAME_SECONDS = 365 * 24 * 60 * 60
/** Interval of checks whether open connections are still allowed: the place or the login may have ended. ms. */
const CHECK_MS = 2_000

export type Previews = ReturnType<typeof createPreviews>

/**
 * Previews: shows the program on a place's port at an origin of its own. Preview requests never reach Carrel's routes:
 * the server offers each request to previews first.
 *
 * A browser comes from Carrel with a ticket and gets a cookie of this one host in exchange. All other browsers, and
 * requests from pages of other origins, are refused.
 */
export function createPreviews(parts: Omit<PreviewContext, 'forwarder'>) {
  const { engine, hosts, logins } = parts
  const context: PreviewContext = { ...parts, forwarder: createForwarder() }
  const checks = setInterval(() => void cutEnded(engine, logins), CHECK_MS).unref()
  return {
    mayUpgrade: ({ headers }: IncomingMessage): boolean =>
      headers.upgrade?.toLowerCase() === 'websocket' && hosts.at(headers.host) !== null,
    /** Handles a request for a preview; returns false for other requests. */
    take(request: IncomingMessage, response: ServerResponse): boolean {
      const at = hosts.at(request.headers.host)
      if (at === null) return false
      serve(context, { request, response }, at).catch(() => response.destroy())
      return true
    },
    /** Like `take`, for WebSockets. */
    upgrade(request: IncomingMessage, socket: Socket, head: Buffer): boolean {
      const at = hosts.at(request.headers.host)
      if (at === null) return false
      // Before the forwarder takes the socket, no other listener handles its errors.
      socket.on('error', () => undefined)
      serveSocket(context, { request, socket, head }, at).catch(() => socket.destroy())
      return true
    },
    close(): void {
      clearInterval(checks)
      for (const { open } of logins.all()) for (const each of open) each.destroy()
    },
  }
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

async function serve(context: PreviewContext, exchange: Exchange, at: PreviewHost): Promise<void> {
  const { request, response } = exchange
  const { accept } = request.headers
  const malformed = malformedNotice(request)
  if (malformed) return sendNotice(response, malformed, accept)
  if (isForeign(request, at)) return sendNotice(response, NOT_YOURS, accept)
  if (RESERVED.test(request.url ?? '')) return enter(context, exchange, at)
  const visit = await admit(context, request, at)
  if ('status' in visit) return sendNotice(response, visit, accept)
  await pass(context, exchange, visit)
}

async function serveSocket(
  context: PreviewContext,
  { request, socket, head }: { request: IncomingMessage; socket: Socket; head: Buffer },
  at: PreviewHost,
): Promise<void> {
  const refuse = (status: number) =>
    void socket.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
  if (malformedNotice(request) || RESERVED.test(request.url ?? '')) return refuse(400)
  if (isForeign(request, at)) return refuse(403)
  const visit = await admit(context, request, at)
  if ('status' in visit) return refuse(visit.status)
  await track(visit.login, socket, () => context.forwarder.socket(request, socket, head, visit.passage))
}

async function admit(
  { engine, hosts, logins }: PreviewContext,
  request: IncomingMessage,
  at: PreviewHost,
): Promise<Visit | Notice> {
  const login = logins.find(cookiesNamed(request.headers.cookie, cookieName(request)), at.preview)
  if (login === null) return loginNotice(backTo(hosts, at, request))
  try {
    const port = await portOf(engine, login)
    return { login, port, passage: passageOf(engine, request, at, port.port) }
  } catch (thrown) {
    const error = asCarrelError(thrown)
    return error.code === 'not_found' ? goneNotice : refusedNotice(503, error.message)
  }
}

type Port = Output<'ports.get'>
interface Visit {
  readonly login: PreviewLogin
  readonly port: Port
  readonly passage: Passage
}

const portOf = (engine: Engine, { login, workspace, preview }: PreviewLogin): Promise<Port> =>
  engine.carrelFor(login.caller).call('ports.get', { workspace, preview })

async function pass(
  { engine, forwarder }: PreviewContext,
  { request, response }: Exchange,
  { login, port, passage }: Visit,
): Promise<void> {
  // Read first: forwarding rewrites the headers.
  const { accept } = request.headers
  try {
    await track(login, response, () => forwarder.web(request, response, passage))
  } catch (thrown) {
    if (response.headersSent || response.destroyed) return void response.destroy()
    const silent = (thrown as NodeJS.ErrnoException).code === 'ECONNREFUSED'
    const notice = silent
      ? await silentNotice(engine.carrelFor(login.login.caller), login.workspace, port)
      : UNREACHABLE
    sendNotice(response, notice, request.method === 'GET' ? accept : undefined)
  }
}

/** Registers a connection of a login while `work` uses it, so that the end of the login destroys it. */
async function track(login: PreviewLogin, open: ServerResponse | Socket, work: () => Promise<void>): Promise<void> {
  login.open.add(open)
  open.once('close', () => login.open.delete(open))
  await work()
}

async function cutEnded(engine: Engine, logins: PreviewLogins): Promise<void> {
  for (const login of logins.all()) {
    if (login.open.size === 0) continue
    const gone = logins.isOver(login) || (await portOf(engine, login).then(() => false, isGone))
    if (gone) for (const each of login.open) each.destroy()
  }
}

const isGone = (thrown: unknown): boolean => asCarrelError(thrown).code === 'not_found'

/** Exchanges the ticket for a cookie and redirects to the requested path, so that no ticket stays in an address. */
function enter({ hosts, logins }: PreviewContext, { request, response }: Exchange, at: PreviewHost): void {
  const { accept } = request.headers
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://preview')
  if (request.method !== 'GET' || pathname !== ENTER) return sendNotice(response, NOT_HERE, accept)
  const entered = logins.enter(searchParams.get('ticket') ?? '', at.preview)
  if (entered === null) return sendNotice(response, loginNotice(backTo(hosts, at, request)), accept)
  const attributes = `Path=/; HttpOnly; SameSite=Lax${isSecure(request) ? '; Secure' : ''}`
  const came = /^[a-z0-9.:[\]-]{1,260}$/.exec(searchParams.get('came') ?? '')?.[0]
  response.writeHead(303, {
    location: localPath(searchParams.get('path') ?? '/'),
    'set-cookie': [
      `${cookieName(request)}=${entered.value}; ${attributes}; Expires=${new Date(entered.endsAt).toUTCString()}`,
      ...(came === undefined ? [] : [`${CAME}=${came}; ${attributes}; Max-Age=${CAME_SECONDS}`]),
    ],
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'content-length': 0,
  })
  response.end()
}

/** Returns the address at Carrel that issues a new cookie; null when Carrel's host is unknown. */
function backTo(hosts: PreviewHosts, at: PreviewHost, request: IncomingMessage): string | null {
  const [came] = cookiesNamed(request.headers.cookie, CAME)
  const carrel = hosts.carrelOf(at, came)
  if (carrel === null) return null
  const path = RESERVED.test(request.url ?? '') || request.method !== 'GET' ? '/' : localPath(request.url)
  return `${schemeOf(request)}://${carrel}/preview/${at.preview}${path === '/' ? '' : `?path=${encodeURIComponent(path)}`}`
}

/** Returns a notice unless the request has one Host and a path; an absolute URL would name another server. */
function malformedNotice({ headersDistinct, url }: IncomingMessage): Notice | null {
  if (headersDistinct.host?.length === 1 && url?.startsWith('/')) return null
  return refusedNotice(400, 'This is not a request for a path of one host.')
}

/** Whether a page of another origin sent the request, including frames. Top-level navigation is allowed. */
function isForeign({ headers, method }: IncomingMessage, { host }: PreviewHost): boolean {
  const site = headers['sec-fetch-site']
  const { origin } = headers
  const own = origin === undefined || hostIn(origin) === host || (origin === 'null' && site === 'same-origin')
  if (!own) return true
  if (site !== 'same-site' && site !== 'cross-site') return false
  const goes = headers['sec-fetch-mode'] === 'navigate' && (method === 'GET' || method === 'HEAD')
  return !goes || headers['sec-fetch-dest'] !== 'document'
}

/** Returns the host of an Origin. The scheme is ignored, since not every proxy reports https. */
const hostIn = (origin: string): string => origin.toLowerCase().replace(/^https?:\/\//, '')

const isSecure = ({ headers }: IncomingMessage): boolean => headers['x-forwarded-proto'] === 'https'
export const schemeOf = ({ headers }: Pick<IncomingMessage, 'headers'>): string =>
  headers['x-forwarded-proto'] === 'https' ? 'https' : 'http'

/** Returns the cookie name. Under https the prefix prevents other hosts of the domain from setting it. */
const cookieName = (request: IncomingMessage): string => (isSecure(request) ? `__Host-${COOKIE}` : COOKIE)

function passageOf(engine: Engine, request: IncomingMessage, at: PreviewHost, port: number): Passage {
  const outside = `${schemeOf(request)}://${at.host}`
  return {
    outside,
    inside: /^localhost(:|$)/.test(at.below) ? outside : `http://localhost:${port}`,
    port,
    from: request.socket.remoteAddress,
    token: engine.token,
  }
}
