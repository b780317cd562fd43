import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CarrelError } from '../../model/errors.ts'
import type { Config } from '../../model/settings/config.ts'
import { previewIn } from '../preview/hosts.ts'

interface GateRequest {
  readonly headers: { readonly host?: string | undefined; readonly origin?: string | undefined }
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']
/** Listen addresses that are never valid Hosts: as a Host they are a known bypass of browser checks. */
const WILDCARDS = ['0.0.0.0', '::', '[::]', '']

export type Gate = ReturnType<typeof createGate>

/**
 * Checks Host and Origin of requests (B2). A page of another site can make a browser send requests here, and with DNS
 * rebinding they look same-origin. The Host must therefore be one of Carrel's names. An Origin, if present, must be
 * Carrel's own page or in `allowedOrigins`.
 * @param port returns the port of the server, at each request, since port 0 is resolved late
 */
export function createGate(config: Config, host: string, port: () => number) {
  const own = [...LOOPBACK, host, config.host].filter((name) => !WILDCARDS.includes(name)).map(bracketed)
  const origins = new Set(config.allowedOrigins.map((origin) => origin.toLowerCase().replace(/\/$/, '')))
  const isHost = (text: string): boolean => {
    // Programs of agents serve previews: no setting makes a preview's host one of Carrel's.
    if (previewIn(text) !== null) return false
    const withPort = `:${port()}`
    if (own.some((name) => text === `${name}${withPort}` || (port() === 80 && text === name))) return true
    // A reverse proxy has its own port, or none in the name: both forms of a configured name are allowed.
    return config.allowedHosts
      .map((name) => name.toLowerCase())
      .some((name) => text === name || text === name + withPort)
  }
  const isOwn = (origin: string, host: string) => origin === `http://${host}` || origin === `https://${host}`
  return {
    /** Whether a lower-case Host is one of Carrel's names, never that of a preview. */
    isOwn: isHost,
    /** @throws forbidden */
    check({ headers }: GateRequest): void {
      const requested = (headers.host ?? '').toLowerCase()
      if (!isHost(requested)) {
        throw new CarrelError('forbidden', 'Host not allowed. Use localhost, or add this name to allowedHosts.', {
          host: requested.slice(0, 200),
        })
      }
      if (headers.origin === undefined) return
      const origin = headers.origin.toLowerCase()
      if (isPreview(origin) || (!isOwn(origin, requested) && !origins.has(origin))) {
        throw new CarrelError('forbidden', 'Origin not allowed. If this site is yours, add it to allowedOrigins.', {
          origin: origin.slice(0, 200),
        })
      }
    },
    /** Whether the Origin is another site in `allowedOrigins`: only such sites get CORS headers. */
    isGuest({ headers }: GateRequest): boolean {
      const origin = headers.origin?.toLowerCase()
      return (
        origin !== undefined &&
        origins.has(origin) &&
        !isPreview(origin) &&
        !isOwn(origin, (headers.host ?? '').toLowerCase())
      )
    },
  }
}

const isPreview = (origin: string): boolean => previewIn(origin.replace(/^https?:\/\//, '')) !== null

const bracketed = (name: string) => (name.includes(':') && !name.startsWith('[') ? `[${name}]` : name).toLowerCase()

/** The page may load only resources of this server, and no inline scripts. */
const PAGE_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

/** Installs the gate before all other hooks. A server that closes refuses what still arrives on open connections. */
export function guard(app: FastifyInstance, gate: Gate): void {
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
  })
  app.addHook('onRequest', (request, reply, done) => {
    addHeaders(request, reply)
    gate.check(request)
    if (closing) {
      reply.header('connection', 'close')
      throw new CarrelError('unavailable', 'This server is stopping. Try again in a moment.')
    }
    if (!gate.isGuest(request)) return done()
    reply.header('access-control-allow-origin', request.headers.origin).header('vary', 'Origin')
    if (request.method === 'OPTIONS') preflight(reply)
    else done()
  })
}

export function addHeaders(request: Pick<FastifyRequest, 'url'>, reply: FastifyReply): void {
  reply
    .header('content-security-policy', PAGE_POLICY)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('x-frame-options', 'DENY')
    .header('cross-origin-opener-policy', 'same-origin')
    .header('cross-origin-resource-policy', 'same-origin')
  if (isApi(request.url)) reply.header('cache-control', 'no-store')
}

export const isApi = (url: string): boolean => /^\/api(?:[/?#]|$)/.test(url)

function preflight(reply: FastifyReply): void {
  reply
    .code(204)
    .header('access-control-allow-methods', 'GET, POST, PATCH, DELETE')
    .header('access-control-allow-headers', 'authorization, content-type, last-event-id, x-carrel-face')
    .header('access-control-max-age', '600')
    .send()
}
