import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CarrelError } from '../../model/errors.ts'
import type { Caller } from '../../model/tree.ts'
import { TOKEN_HOLDER } from '../../model/who-words.ts'
import { cookiesNamed } from './cookies.ts'
import { loginPage } from './login-page.ts'

/** One login to Carrel. Everything opened with it ends with it. */
export interface Login {
  readonly caller: Caller
  /** Identifies the login, and proves nothing. */
  readonly id: string
  /** ms since 1970. */
  readonly endsAt: number
}

interface AuthOptions {
  readonly token: string
  /** ms since 1970. */
  readonly now: () => number
  readonly port: () => number
}

const COOKIE_SECONDS = 30 * 24 * 60 * 60

/** Authenticates requests by token or login cookie, never by a claim of the client. */
export class Auth {
  readonly #options: AuthOptions
  readonly #isToken: (text: string) => boolean
  readonly #throttle: ReturnType<typeof createThrottle>
  /** Cache: each request is checked twice, before and after its body is read. */
  readonly #callers = new WeakMap<FastifyRequest, Caller>()
  readonly #logoutListeners: ((login: string) => void)[] = []

  constructor(options: AuthOptions) {
    this.#options = options
    this.#isToken = equalTo(options.token)
    this.#throttle = createThrottle(options.now)
  }

  /** @throws unauthenticated */
  readonly callerOf = (request: FastifyRequest): Caller => {
    const caller = this.#callers.get(request) ?? this.#authenticate(request)
    this.#callers.set(request, caller)
    return caller
  }

  /** @throws unauthenticated */
  loginOf(request: FastifyRequest): Login {
    const caller = this.callerOf(request)
    const cookie = bearerOf(request.headers.authorization) === null ? this.#cookieOf(request) : null
    if (cookie === null) return { caller, id: 'token', endsAt: this.#options.now() + COOKIE_SECONDS * 1000 }
    return { caller, id: loginId(cookie), endsAt: expiryOf(cookie) }
  }

  /** Registers a listener that receives the `id` of each ended login. */
  onLogout(listener: (login: string) => void): void {
    this.#logoutListeners.push(listener)
  }

  /** Mounts `GET /login?token=`, `POST /login` and `POST /logout`. */
  mount(app: FastifyInstance): void {
    app.get('/login', async (request, reply) => {
      const { token, next } = request.query as Record<string, unknown>
      return token === undefined ? page(reply, 200, 'ask', next) : this.#logIn(request, reply, { token, next })
    })
    app.post('/login', async (request, reply) =>
      this.#logIn(request, reply, (request.body ?? {}) as Record<string, unknown>),
    )
    app.post('/logout', async (request, reply) => this.#logOut(request, reply))
  }

  #authenticate(request: FastifyRequest): Caller {
    const bearer = bearerOf(request.headers.authorization)
    if (bearer !== null) {
      if (!this.#isToken(bearer)) throw unauthenticated('The token is wrong.')
      return tokenHolder(request.headers['x-carrel-face'] === 'cli' ? 'cli' : 'api')
    }
    const cookies = cookiesNamed(request.headers.cookie, this.#cookieName())
    if (cookies.length === 0) throw unauthenticated('You are not logged in.')
    if (!cookies.some((cookie) => this.#isValid(cookie))) throw unauthenticated('Your login has expired.')
    if (isElsewhere(request))
      throw unauthenticated('The request comes from another site, where the login is not valid.')
    return tokenHolder('web')
  }

  async #logIn(
    request: FastifyRequest,
    reply: FastifyReply,
    { token, next }: { readonly token?: unknown; readonly next?: unknown },
  ): Promise<FastifyReply> {
    if (typeof token !== 'string' || !this.#isToken(token.trim())) {
      const wait = this.#throttle.failed(request.ip)
      if (wait > 0) return page(reply.header('retry-after', String(Math.ceil(wait / 1000))), 429, 'throttled', next)
      return page(reply, 401, 'wrong', next)
    }
    const endsAt = this.#options.now() + COOKIE_SECONDS * 1000
    reply.setCookie(this.#cookieName(), cookieValue(this.#options.token, endsAt), {
      path: '/',
      httpOnly: true,
      sameSite: 'strict',
      secure: request.protocol === 'https' || request.headers['x-forwarded-proto'] === 'https',
      maxAge: COOKIE_SECONDS,
    })
    return reply.header('cache-control', 'no-store').redirect(localPath(next), 303)
  }

  #logOut(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const cookie = this.#cookieOf(request)
    if (cookie !== null) for (const notify of this.#logoutListeners) notify(loginId(cookie))
    return reply.clearCookie(this.#cookieName(), { path: '/', httpOnly: true, sameSite: 'strict' }).code(204).send()
  }

  /** Returns the valid cookie, or null. Another site of the domain may have set further cookies of the same name. */
  #cookieOf({ headers }: FastifyRequest): string | null {
    return cookiesNamed(headers.cookie, this.#cookieName()).find((cookie) => this.#isValid(cookie)) ?? null
  }

  #isValid(cookie: string): boolean {
    const expiresAt = expiryOf(cookie)
    return expiresAt > this.#options.now() && equalTo(cookieValue(this.#options.token, expiresAt))(cookie)
  }

  /** The name has the port: cookies ignore ports, so that two servers on one machine would overwrite each other's. */
  #cookieName(): string {
    return `carrel_${this.#options.port()}`
  }
}

/**
 * Whether another page of the same site sent the request, such as a preview below the same domain: its requests carry
 * the cookie. Navigation is allowed, since the other page cannot read the result.
 */
function isElsewhere({ headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site']
  return (site === 'same-site' || site === 'cross-site') && headers['sec-fetch-mode'] !== 'navigate'
}

const expiryOf = (cookie: string): number => Number(/^(\d{1,15})\./.exec(cookie)?.[1] ?? 0)

const loginId = (cookie: string): string => createHash('sha256').update(cookie).digest('base64url')

const tokenHolder = (face: Caller['face']): Caller => ({ name: TOKEN_HOLDER, kind: 'person', face, workspaces: null })

function unauthenticated(reason: string): CarrelError {
  return new CarrelError(
    'unauthenticated',
    `${reason} Run \`carrel open\` for a login link, or send the token as Bearer.`,
  )
}

/** Returns a cookie that expires by itself and does not reveal the token. */
const cookieValue = (token: string, expiresAt: number): string =>
  `${expiresAt}.${createHmac('sha256', token).update(`carrel login ${expiresAt}`).digest('base64url')}`

/** Returns a comparison in constant time for texts of the right length, which is public. */
function equalTo(right: string): (text: string) => boolean {
  const bytes = Buffer.from(right)
  return (text) => {
    const given = Buffer.from(text)
    return given.length === bytes.length && timingSafeEqual(given, bytes)
  }
}

function bearerOf(header: string | undefined): string | null {
  if (header === undefined) return null
  return /^bearer +(\S+) *$/i.exec(header)?.[1] ?? ''
}

/** Returns a path on this server, else `/`: `//other.site` and `/\other.site` lead to other servers. */
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
      // With `no-referrer`, browsers submit the form with `Origin: null`, which the gate refuses.
      .header('referrer-policy', 'same-origin')
      .type('text/html; charset=utf-8')
      .send(loginPage(kind, localPath(next)))
  )
}

const FAILURES = 10
const WINDOW_MS = 60_000
const MOST_NAMES = 1_000

/**
 * Counts wrong tokens by address. The right token always passes: otherwise any page could lock you out by loading
 * `/login?token=x` a few times. A token of 256 bits cannot be guessed at any rate.
 */
function createThrottle(now: () => number) {
  const failures = new Map<string, { since: number; count: number }>()
  return {
    /** @returns time that this address must wait in ms; 0 for none */
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
