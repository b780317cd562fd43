import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CarrelError } from '../../model/errors.ts'
import type { Caller } from '../../model/tree.ts'
import { cookiesNamed } from './cookies.ts'
import { loginPage } from './login-page.ts'

/** Tells who asks, from what the request carries. Never from what it claims. */
export interface Auth {
  /** @throws unauthenticated */
  callerOf(request: FastifyRequest): Caller
  /** By what the caller is logged in. @throws unauthenticated */
  loginOf(request: FastifyRequest): Login
  /** Told the `id` of each login that somebody ends. */
  onLogout(listener: (login: string) => void): void
  /** `GET /login?token=`, `POST /login`, `POST /logout`. */
  mount(app: FastifyInstance): void
}

/** One login to Carrel: what hangs on it ends with it. */
export interface Login {
  readonly caller: Caller
  /** Tells logins apart, and proves nothing. */
  readonly id: string
  /** ms since 1970. */
  readonly endsAt: number
}

export interface AuthOptions {
  readonly token: string
  /** ms since 1970. */
  readonly now: () => number
  readonly port: () => number
}

const COOKIE_SECONDS = 30 * 24 * 60 * 60

export function createAuth({ token, now, port }: AuthOptions): Auth {
  const isToken = sameAs(token)
  // Asked twice for each request, before its body is read and after.
  const known = new WeakMap<FastifyRequest, Caller>()
  // Cookies do not tell ports apart, so two servers on one machine would take each other's.
  const cookieName = () => `carrel_${port()}`
  const throttle = createThrottle(now)

  const leaving: ((login: string) => void)[] = []

  const isCookie = (said: string): boolean => {
    const expiresAt = expiryOf(said)
    return expiresAt > now() && sameAs(cookieValue(token, expiresAt))(said)
  }

  /** The cookie that proves it, or null; several may be there, and who put them there is not said. */
  const cookieOf = ({ headers }: FastifyRequest): string | null =>
    cookiesNamed(headers.cookie, cookieName()).find(isCookie) ?? null

  const login = async (request: FastifyRequest, reply: FastifyReply, said: unknown, next: unknown) => {
    const name = request.ip
    if (typeof said !== 'string' || !isToken(said.trim())) {
      const wait = throttle.failed(name)
      if (wait > 0) return page(reply.header('retry-after', String(Math.ceil(wait / 1000))), 429, 'throttled', next)
      return page(reply, 401, 'wrong', next)
    }
    reply.setCookie(cookieName(), cookieValue(token, now() + COOKIE_SECONDS * 1000), {
      path: '/',
      httpOnly: true,
      sameSite: 'strict',
      secure: request.protocol === 'https' || request.headers['x-forwarded-proto'] === 'https',
      maxAge: COOKIE_SECONDS,
    })
    return reply.header('cache-control', 'no-store').redirect(localPath(next), 303)
  }

  const lookAt = (request: FastifyRequest): Caller => {
    const bearer = bearerOf(request.headers.authorization)
    if (bearer !== null) {
      if (!isToken(bearer)) throw unauthenticated('The token is wrong.')
      return owner(request.headers['x-carrel-face'] === 'cli' ? 'cli' : 'api')
    }
    const said = cookiesNamed(request.headers.cookie, cookieName())
    if (said.length === 0) throw unauthenticated('Nobody is logged in.')
    if (!said.some(isCookie)) throw unauthenticated('The login has run out.')
    if (isElsewhere(request)) throw unauthenticated('This comes from another site, where the login does not count.')
    return owner('web')
  }

  const callerOf = (request: FastifyRequest): Caller => {
    const caller = known.get(request) ?? lookAt(request)
    known.set(request, caller)
    return caller
  }

  return {
    callerOf,
    loginOf(request) {
      const caller = callerOf(request)
      const cookie = bearerOf(request.headers.authorization) === null ? cookieOf(request) : null
      if (cookie === null) return { caller, id: 'token', endsAt: now() + COOKIE_SECONDS * 1000 }
      return { caller, id: loginId(cookie), endsAt: expiryOf(cookie) }
    },
    onLogout: (listener) => void leaving.push(listener),
    mount(app) {
      app.get('/login', async (request, reply) => {
        const { token: said, next } = request.query as Record<string, unknown>
        return said === undefined ? page(reply, 200, 'ask', next) : login(request, reply, said, next)
      })
      app.post('/login', async (request, reply) => {
        const { token: said, next } = (request.body ?? {}) as Record<string, unknown>
        return login(request, reply, said, next)
      })
      app.post('/logout', async (request, reply) => {
        const cookie = cookieOf(request)
        if (cookie !== null) for (const tell of leaving) tell(loginId(cookie))
        return reply.clearCookie(cookieName(), { path: '/', httpOnly: true, sameSite: 'strict' }).code(204).send()
      })
    },
  }
}

/**
 * A page of the same site that is not ours, as a preview below the same domain is one: its requests carry the cookie.
 * Going to an address is something else: what comes of it the other page cannot see.
 */
function isElsewhere({ headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site']
  return (site === 'same-site' || site === 'cross-site') && headers['sec-fetch-mode'] !== 'navigate'
}

const expiryOf = (cookie: string): number => Number(/^(\d{1,15})\./.exec(cookie)?.[1] ?? 0)

const loginId = (cookie: string): string => createHash('sha256').update(cookie).digest('base64url')

const owner = (face: Caller['face']): Caller => ({ name: 'owner', kind: 'person', face, workspaces: null })

function unauthenticated(what: string): CarrelError {
  return new CarrelError(
    'unauthenticated',
    `${what} Run \`carrel open\` for a login address, or send the token as Bearer.`,
  )
}

/** Whoever reads the cookie cannot make the token from it, and it runs out by itself. */
function cookieValue(token: string, expiresAt: number): string {
  return `${expiresAt}.${createHmac('sha256', token).update(`carrel login ${expiresAt}`).digest('base64url')}`
}

/** In constant time for all that is as long as what is right: how long that is, everybody knows. */
function sameAs(right: string): (said: string) => boolean {
  const bytes = Buffer.from(right)
  return (said) => {
    const given = Buffer.from(said)
    return given.length === bytes.length && timingSafeEqual(given, bytes)
  }
}

function bearerOf(header: string | undefined): string | null {
  if (header === undefined) return null
  return /^bearer +(\S+) *$/i.exec(header)?.[1] ?? ''
}

/** A path on this server, else its front page: `//other.site` and `/\other.site` are addresses elsewhere. */
export function localPath(next: unknown): string {
  if (typeof next !== 'string' || next.length > 2_000) return '/'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: browsers drop them, and `/\t/site` then leads elsewhere
  return /^\/(?![/\\])[^\\\x00-\x1f\x7f-\uffff]*$/.test(next) ? next : '/'
}

function page(reply: FastifyReply, status: number, kind: Parameters<typeof loginPage>[0], next: unknown): FastifyReply {
  return (
    reply
      .code(status)
      .header('cache-control', 'no-store')
      // With `no-referrer` a browser says `Origin: null` when the form is sent, and the gate would refuse it.
      .header('referrer-policy', 'same-origin')
      .type('text/html; charset=utf-8')
      .send(loginPage(kind, localPath(next)))
  )
}

const FAILURES = 10
const WINDOW_MS = 60_000
const MOST_NAMES = 1_000

/**
 * Counts wrong tokens by address. The right token passes always: any page could otherwise lock the owner out by
 * loading `/login?token=x` a few times, and 256 bits are not guessed at any rate.
 */
function createThrottle(now: () => number) {
  const failures = new Map<string, { since: number; count: number }>()
  return {
    /** @returns how long this address should wait, ms; 0 while it may go on */
    failed(name: string): number {
      const known = failures.get(name)
      const fresh = known && now() - known.since < WINDOW_MS ? known : { since: now(), count: 0 }
      fresh.count += 1
      failures.delete(name)
      failures.set(name, fresh)
      if (failures.size > MOST_NAMES) failures.delete(failures.keys().next().value as string)
      return fresh.count > FAILURES ? fresh.since + WINDOW_MS - now() : 0
    },
  }
}
