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
import { goneNotice, loginNotice, NOT_HERE, NOT_YOURS, refusedNotice, silentNotice, UNREACHABLE } from './notices.ts'
import { type Notice, sendNotice } from './pages.ts'

/**
 * Shows what listens at a place's port, at an origin of its own. What comes in here is never a request to Carrel: the
 * server asks for each whether it is one of these before its own routes see it.
 *
 * From Carrel one comes with a ticket, which is exchanged for a cookie of this one host. Nobody else is let in, and
 * nothing is passed on for pages of other origins.
 */
export interface Previews {
  /** False when the request is none for a preview. */
  take(request: IncomingMessage, response: ServerResponse): boolean
  /** Like `take`, for what wants to be a WebSocket. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): boolean
  mayUpgrade(request: IncomingMessage): boolean
  /** Cuts what is under way. */
  close(): void
}

interface Parts {
  readonly engine: Engine
  readonly hosts: PreviewHosts
  readonly logins: PreviewLogins
}

/** Of the origin's own paths; never passed on. */
export const ENTER = '/.carrel/enter'
const RESERVED = /^\/\.carrel(?:[/?]|$)/
const COOKIE = 'carrel_preview'
/** Where this browser found Carrel, for the way back. */
const CAME = 'carrel_came'
const CAME_SECONDS = 365 * 24 * 60 * 60
/** How often it is looked whether what is under way may go on: the place may be gone, the login may be over. ms. */
const LOOK_MS = 2_000

export function createPreviews({ engine, hosts, logins }: Parts): Previews {
  const forwarder = createForwarder()
  const looking = setInterval(() => void lookAgain(engine, logins), LOOK_MS).unref()

  /** What a request may reach, or why it reaches nothing. */
  const judge = async (request: IncomingMessage, at: PreviewHost): Promise<Visit | Notice> => {
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

  const serve = async (request: IncomingMessage, response: ServerResponse, at: PreviewHost): Promise<void> => {
    const { accept } = request.headers
    const wrong = isMalformed(request)
    if (wrong) return sendNotice(response, wrong, accept)
    if (isForeign(request, at)) return sendNotice(response, NOT_YOURS, accept)
    if (RESERVED.test(request.url ?? '')) return enter({ hosts, logins }, request, response, at)
    const visit = await judge(request, at)
    if ('status' in visit) return sendNotice(response, visit, accept)
    await pass(engine, forwarder, { request, response }, visit)
  }

  return {
    mayUpgrade: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket' && hosts.at(headers.host) !== null,
    take(request, response) {
      const at = hosts.at(request.headers.host)
      if (at === null) return false
      serve(request, response, at).catch(() => response.destroy())
      return true
    },
    upgrade(request, socket, head) {
      const at = hosts.at(request.headers.host)
      if (at === null) return false
      // Until the forwarder has it, nobody else hears that it broke.
      const ignore = () => undefined
      socket.on('error', ignore)
      const refuse = (status: number) =>
        void socket.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
      if (isMalformed(request) || RESERVED.test(request.url ?? '')) refuse(400)
      else if (isForeign(request, at)) refuse(403)
      else
        judge(request, at)
          .then((visit) =>
            'status' in visit
              ? refuse(visit.status)
              : keep(visit.login, socket, () => forwarder.socket(request, socket, head, visit.passage)),
          )
          .catch(() => socket.destroy())
      return true
    },
    close() {
      clearInterval(looking)
      for (const { open } of logins.all()) for (const each of open) each.destroy()
    },
  }
}

type Port = Output<'ports.get'>
interface Visit {
  readonly login: PreviewLogin
  readonly port: Port
  readonly passage: Passage
}

const portOf = (
  engine: Engine,
  { login, workspace, preview }: Pick<PreviewLogin, 'login' | 'workspace' | 'preview'>,
): Promise<Port> => engine.carrelFor(login.caller).call('ports.get', { workspace, preview })

async function pass(
  engine: Engine,
  forwarder: Forwarder,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
  { login, port, passage }: Visit,
): Promise<void> {
  // Taken before it is passed on, since its headers are others then.
  const { accept } = request.headers
  try {
    await keep(login, response, () => forwarder.web(request, response, passage))
  } catch (thrown) {
    if (response.headersSent || response.destroyed) return void response.destroy()
    const silent = (thrown as NodeJS.ErrnoException).code === 'ECONNREFUSED'
    const notice = silent
      ? await silentNotice(engine.carrelFor(login.login.caller), login.workspace, port)
      : UNREACHABLE
    sendNotice(response, notice, request.method === 'GET' ? accept : undefined)
  }
}

/** Notes it as under way, so that it can be cut. */
async function keep(login: PreviewLogin, open: ServerResponse | Socket, work: () => Promise<void>): Promise<void> {
  login.open.add(open)
  open.once('close', () => login.open.delete(open))
  await work()
}

async function lookAgain(engine: Engine, logins: PreviewLogins): Promise<void> {
  for (const login of logins.all()) {
    if (login.open.size === 0) continue
    const gone = logins.isOver(login) || (await portOf(engine, login).then(() => false, isGone))
    if (gone) for (const each of login.open) each.destroy()
  }
}

const isGone = (thrown: unknown): boolean => asCarrelError(thrown).code === 'not_found'

/** The ticket for a cookie, and on to where one wanted to go, so that no ticket stays in an address. */
function enter(
  { hosts, logins }: Pick<Parts, 'hosts' | 'logins'>,
  request: IncomingMessage,
  response: ServerResponse,
  at: PreviewHost,
): void {
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

/** Where somebody without a cookie gets one: at Carrel, as they reached it before. */
function backTo(hosts: PreviewHosts, at: PreviewHost, request: IncomingMessage): string | null {
  const [came] = cookiesNamed(request.headers.cookie, CAME)
  const carrel = hosts.carrelOf(at, came)
  if (carrel === null) return null
  const path = RESERVED.test(request.url ?? '') || request.method !== 'GET' ? '/' : localPath(request.url)
  return `${schemeOf(request)}://${carrel}/preview/${at.preview}${path === '/' ? '' : `?path=${encodeURIComponent(path)}`}`
}

/** One Host, and a path of it: an address of another server is no path. */
function isMalformed({ headersDistinct, url }: IncomingMessage): Notice | null {
  if (headersDistinct.host?.length === 1 && url?.startsWith('/')) return null
  return refusedNotice(400, 'This is not a request for a path of one host.')
}

/** What a page of another origin asks for, with whatever cookie. Going to an address is not meant, being framed is. */
function isForeign({ headers, method }: IncomingMessage, { host }: PreviewHost): boolean {
  const site = headers['sec-fetch-site']
  const { origin } = headers
  const own = origin === undefined || hostIn(origin) === host || (origin === 'null' && site === 'same-origin')
  if (!own) return true
  if (site !== 'same-site' && site !== 'cross-site') return false
  const goes = headers['sec-fetch-mode'] === 'navigate' && (method === 'GET' || method === 'HEAD')
  return !goes || headers['sec-fetch-dest'] !== 'document'
}

/** Whether in front of us it was https or not: that is for a proxy to say, and some do not. */
const hostIn = (origin: string): string => origin.toLowerCase().replace(/^https?:\/\//, '')

const isSecure = ({ headers }: IncomingMessage): boolean => headers['x-forwarded-proto'] === 'https'
export const schemeOf = (request: Pick<IncomingMessage, 'headers'>): string =>
  request.headers['x-forwarded-proto'] === 'https' ? 'https' : 'http'
const originOf = (request: IncomingMessage, { host }: PreviewHost): string => `${schemeOf(request)}://${host}`

/** Under https no other host of the domain can set a cookie of this name. */
const cookieName = (request: IncomingMessage): string => (isSecure(request) ? `__Host-${COOKIE}` : COOKIE)

function passageOf(engine: Engine, request: IncomingMessage, at: PreviewHost, port: number): Passage {
  const outside = originOf(request, at)
  return {
    outside,
    inside: /^localhost(:|$)/.test(at.below) ? outside : `http://localhost:${port}`,
    port,
    from: request.socket.remoteAddress,
    token: engine.token,
  }
}
