import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Engine } from '../../engine/engine.ts'
import { CarrelError } from '../../model/errors.ts'
import type { Caller } from '../../model/tree.ts'
import { TOKEN_HOLDER } from '../../model/who-words.ts'
import { type Cookie, cookiesLike } from './cookies.ts'
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
  readonly access: Engine['access']
  /** ms since 1970. */
  readonly now: () => number
  readonly port: () => number
}

const COOKIE_SECONDS = 30 * 24 * 60 * 60

/** Authenticates requests by token or login cookie of any node, never by a claim of the client. */
export class Auth {
  readonly #options: AuthOptions
  readonly #throttle: ReturnType<typeof createThrottle>
  readonly #logins = new WeakMap<FastifyRequest, Login>()
  readonly #logoutListeners: ((login: string) => void)[] = []

  constructor(options: AuthOptions) {
    this.#options = options
    this.#throttle = createThrottle(options.now)
  }

  /** Checks a request, before its body is read. @throws unauthenticated */
  readonly authenticate = async (request: FastifyRequest): Promise<Login> => {
    const login = this.#logins.get(request) ?? (await this.#loginOf(request))
    this.#logins.set(request, login)
    return login
  }

  /** Returns the caller of a request that was authenticated. @throws unauthenticated */
  readonly callerOf = (request: FastifyRequest): Caller => {
    const login = this.#logins.get(request)
    if (login) return login.caller
    throw unauthenticated('You are not logged in.')
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
    app.post('/logout', (request, reply) => this.#logOut(request, reply))
  }

  async #loginOf(request: FastifyRequest): Promise<Login> {
    const { access, now } = this.#options
    const bearer = bearerOf(request.headers.authorization)
    if (bearer !== null) {
      if (!(await access.isToken(bearer))) throw unauthenticated('The token is wrong.')
      const caller = tokenHolder(request.headers['x-carrel-face'] === 'cli' ? 'cli' : 'api')
      return { caller, id: 'token', endsAt: now() + COOKIE_SECONDS * 1000 }
    }
    if (cookiesLike(request.headers.cookie, LOGIN_NAME).length === 0) throw unauthenticated('You are not logged in.')
    const cookie = await this.#cookieOf(request)
    if (cookie === null) throw unauthenticated('Your login has expired.')
    if (isElsewhere(request))
      throw unauthenticated('The request comes from another site, where the login is not valid.')
    return { caller: tokenHolder('web'), id: loginId(cookie.value), endsAt: expiryOf(cookie.value) }
  }

  async #logIn(
    request: FastifyRequest,
    reply: FastifyReply,
    { token, next }: { readonly token?: unknown; readonly next?: unknown },
  ): Promise<FastifyReply> {
    const { access, now } = this.#options
    if (typeof token !== 'string' || !(await access.isToken(token.trim()))) {
      const wait = this.#throttle.failed(request.ip)
      if (wait > 0) return page(reply.header('retry-after', String(Math.ceil(wait / 1000))), 429, 'throttled', next)
      return page(reply, 401, 'wrong', next)
    }
    const endsAt = now() + COOKIE_SECONDS * 1000
    reply.setCookie(this.#cookieName(), `${endsAt}.${access.sign(loginText(endsAt))}`, {
      path: '/',
      httpOnly: true,
      sameSite: 'strict',
      secure: request.protocol === 'https' || request.headers['x-forwarded-proto'] === 'https',
      maxAge: COOKIE_SECONDS,
    })
    return reply.header('cache-control', 'no-store').redirect(localPath(next), 303)
  }

  async #logOut(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const cookie = await this.#cookieOf(request)
    if (cookie !== null) for (const notify of this.#logoutListeners) notify(loginId(cookie.value))
    // The login may be that of another node, under its name.
    const names = new Set([this.#cookieName(), ...(cookie === null ? [] : [cookie.name])])
    for (const name of names) reply.clearCookie(name, { path: '/', httpOnly: true, sameSite: 'strict' })
    return reply.code(204).send()
  }

  /** Returns a valid login cookie of any node, or null. Another site of the domain may have set further cookies. */
  async #cookieOf(request: FastifyRequest): Promise<Cookie | null> {
    for (const cookie of loginCookies(request)) if (await this.#isValid(cookie.value)) return cookie
    return null
  }

  async #isValid(cookie: string): Promise<boolean> {
    const { access, now } = this.#options
    const expiresAt = expiryOf(cookie)
    const seal = cookie.slice(`${expiresAt}.`.length)
    return expiresAt > now() && (await access.isSigned(loginText(expiresAt), seal))
  }

  /** The name has the port: cookies ignore ports, so that two servers on one machine would overwrite each other's. */
  #cookieName(): string {
    return loginCookie(this.#options.port())
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

/** The text that a machine signs for a login. The login expires by itself, and its cookie does not reveal the token. */
const loginText = (expiresAt: number): string => `carrel login ${expiresAt}`

/** Name of the login cookie: browsers share the cookies of all ports of a host. */
export const loginCookie = (port: number): string => `carrel_${port}`

const LOGIN_NAME = /^carrel_\d+$/
/** Expiry, machine and signature. */
const LOGIN = /^\d{1,15}\.[\w-]{1,64}\.[\w-]{86}$/
/** Each may cost a query. */
const MOST_COOKIES = 50

/** The login cookies of a request: of this server, of other nodes, and of other servers on this machine. */
const loginCookies = ({ headers }: FastifyRequest): Cookie[] =>
  cookiesLike(headers.cookie, LOGIN_NAME)
    .filter(({ value }) => LOGIN.test(value))
    .slice(0, MOST_COOKIES)

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
