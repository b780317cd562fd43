import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../../model/config.ts'
import { CarrelError } from '../../model/errors.ts'
import { previewIn } from '../preview/hosts.ts'

/**
 * Who may knock at all (B2). A page of another site can make a browser send requests here, and a name that resolves
 * to this machine today (DNS rebinding) makes them look like its own: so the Host must be one of ours, and an
 * Origin, where one is said, must be the page that this server itself serves, or one that the owner named.
 */
export interface Gate {
  /** @throws forbidden */
  check(request: GateRequest): void
  /** Whether a Host, in small letters, is one of ours. Never that of a preview. */
  isOwn(host: string): boolean
  /** Whether the Origin is another site's that the owner let in: only such a one gets CORS headers. */
  isGuest(request: GateRequest): boolean
}

export interface GateRequest {
  readonly headers: { readonly host?: string | undefined; readonly origin?: string | undefined }
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']
/** Where one listens, never what one calls: as a Host they are a known way round a browser's own checks. */
const WILDCARDS = ['0.0.0.0', '::', '[::]', '']

/** @param port what the server listens on, asked at each request, since 0 takes a free one */
export function createGate(config: Config, host: string, port: () => number): Gate {
  const own = [...LOOPBACK, host, config.host].filter((name) => !WILDCARDS.includes(name)).map(bracketed)
  const origins = new Set(config.allowedOrigins.map((origin) => origin.toLowerCase().replace(/\/$/, '')))

  const isHost = (said: string): boolean => {
    // What agents' programs serve stands there, whatever else the owner let in.
    if (previewIn(said) !== null) return false
    const withPort = `:${port()}`
    if (own.some((name) => said === `${name}${withPort}` || (port() === 80 && said === name))) return true
    // A proxy in front has a port of its own, or none in the name: both are what the owner wrote down.
    return config.allowedHosts
      .map((name) => name.toLowerCase())
      .some((name) => said === name || said === name + withPort)
  }
  const isOwn = (origin: string, said: string) => origin === `http://${said}` || origin === `https://${said}`

  return {
    isOwn: isHost,
    check({ headers }) {
      const said = (headers.host ?? '').toLowerCase()
      if (!isHost(said)) {
        throw new CarrelError('forbidden', 'Host not allowed. Use localhost, or add this name to allowedHosts.', {
          host: said.slice(0, 200),
        })
      }
      if (headers.origin === undefined) return
      const origin = headers.origin.toLowerCase()
      if (isPreview(origin) || (!isOwn(origin, said) && !origins.has(origin))) {
        throw new CarrelError('forbidden', 'Origin not allowed. If this site is yours, add it to allowedOrigins.', {
          origin: origin.slice(0, 200),
        })
      }
    },
    isGuest({ headers }) {
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

/** The page may load what this server sends and nothing else; no script stands in a page. */
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

/** Puts the gate before everything else. */
export function guard(app: FastifyInstance, gate: Gate): void {
  app.addHook('onRequest', (request, reply, done) => {
    addHeaders(request, reply)
    gate.check(request)
    if (!gate.isGuest(request)) return done()
    reply.header('access-control-allow-origin', request.headers.origin).header('vary', 'Origin')
    if (request.method === 'OPTIONS') preflight(reply)
    else done()
  })
}

/** The headers of every answer. */
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
