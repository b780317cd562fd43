import { createServer, type RequestListener, type Server } from 'node:http'
import type { Socket } from 'node:net'
import fastifyCookie from '@fastify/cookie'
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { type Input, type OperationName, operations } from '../../api/index.ts'
import { REAL_TIMING } from '../../client/timing.ts'
import type { Engine } from '../../engine/engine.ts'
import { asCarrelError, CarrelError, ERRORS } from '../../model/errors.ts'
import { pathNow } from '../../model/old-names.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { mountPreviewDoor } from '../preview/door.ts'
import { createPreviewHosts } from '../preview/hosts.ts'
import { createPreviewLogins } from '../preview/logins.ts'
import { createPreviews, type Previews } from '../preview/preview.ts'
import { Auth } from './auth.ts'
import { addHeaders, createGate, type Gate, guard, isApi } from './gate.ts'
import { mountLive } from './live.ts'
import { openApi } from './openapi.ts'
import type { OutletLimits } from './outlet.ts'
import { inputOf } from './request-input.ts'
import { mountStreams, type Streams } from './stream.ts'
import { mountPage, WEB_FOLDER } from './web.ts'

export interface HttpOptions {
  /** Folder of the built page; default: the page of this package, null for no page. */
  readonly webFolder?: string | null | undefined
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  readonly version: string
  /** ms since 1970. */
  readonly now?: (() => number) | undefined
  readonly streams?: Partial<OutletLimits> | undefined
}

export interface HttpServer {
  /** `http://127.0.0.1:4747` */
  readonly url: string
  /** Address that logs in and opens the page. A secret. */
  readonly loginUrl: string
  readonly port: number
  readonly streams: Pick<Streams, 'open' | 'waitingBytes'>
  /** Ends the streams, gives open answers a moment to finish, then closes all connections. Idempotent. */
  close(): Promise<void>
}

/** Path of the API's description, which has no data and is the same for everybody: readable without a login. */
const DESCRIPTION = '/api/v1/openapi.json'

/** Time for open answers to finish while the server closes. ms. */
const CLOSE_MS = 2_000

/**
 * Serves an engine over HTTP: operations under `/api/v1`, streams, login and page.
 * @throws unavailable when the port is taken or this machine does not have the address
 */
export async function serveHttp(engine: Engine, options: HttpOptions): Promise<HttpServer> {
  let port = options.port
  const gate = createGate(engine.config, options.host, () => port)
  const now = options.now ?? REAL_TIMING.now
  const hosts = createPreviewHosts(engine.config, gate.isOwn)
  const logins = createPreviewLogins(now)
  const previews = createPreviews({ engine, hosts, logins })
  const app = createApp(engine, gate, previews)
  const auth = new Auth({ access: engine.access, now, port: () => port })
  guard(app, gate)
  await app.register(fastifyCookie)
  app.addHook('onRequest', async (request) => {
    // Authenticate before the body is read: an unauthenticated caller must not send 32 MiB.
    if (isApi(request.url) && request.routeOptions.url !== DESCRIPTION) await auth.authenticate(request)
  })
  acceptBodies(app)
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, engine))
  // Routes, not addresses: a login has its token in its query.
  app.addHook('onResponse', async ({ method, routeOptions }, { statusCode, elapsedTime }) =>
    engine.log.debug(`${method} ${routeOptions.url ?? '(no route)'} ${statusCode}, ${Math.round(elapsedTime)} ms`),
  )
  auth.mount(app)
  app.addHook('preClose', async () => previews.close())
  mountPreviewDoor(app, { engine, auth, hosts, logins })
  mountOperations(app, engine, auth.callerOf)
  app.get(DESCRIPTION, async () => openApi(options.version, port))
  const streaming = {
    engine,
    callerOf: auth.callerOf,
    onError: (error: unknown, request: FastifyRequest) => logError(error, request, engine),
    limits: options.streams,
  }
  const streams = mountStreams(app, streaming)
  const live = mountLive(app, streaming)
  const page = await mountPage(app, options.webFolder === undefined ? WEB_FOLDER : options.webFolder)
  app.setNotFoundHandler((request, reply) => page(request, reply) || sendProblem(reply, noRoute(request)))
  await listen(app, options)
  port = portOf(app)
  const url = `http://${nameFor(options.host)}:${port}`
  return {
    url,
    loginUrl: `${url}/login?token=${engine.token}`,
    port,
    streams,
    close: () => close(app, [streams, live]),
  }
}

function createApp(engine: Engine, gate: Gate, previews: Previews): FastifyInstance {
  return Fastify({
    // Fastify's own log lines contain whole addresses, and a login address has a token.
    logger: false,
    bodyLimit: engine.config.maxBodyBytes,
    forceCloseConnections: false,
    // The answer of Fastify has no error code; `guard` refuses instead.
    return503OnClosing: false,
    serverFactory: (handle) => createHttpServer(handle, previews),
    routerOptions: { maxParamLength: 512 },
    // A malformed address arrives here without passing the hooks.
    frameworkErrors: (error, request, reply) => {
      const plain = reply as unknown as FastifyReply
      try {
        addHeaders(request, plain)
        gate.check(request)
        sendProblem(plain, badInput(`The address is not well-formed: ${error.message}.`))
      } catch (refused) {
        sendProblem(plain, asCarrelError(refused))
      }
    },
    clientErrorHandler: refuseMalformed,
  })
}

/** Creates a server that handles previews before Carrel's own routes. Only previews may use WebSockets. */
function createHttpServer(handle: RequestListener, previews: Previews): Server {
  const server = createServer(
    // Limits the time to receive a request, not to answer it. ms.
    { requestTimeout: 300_000, keepAliveTimeout: 72_000, shouldUpgradeCallback: previews.mayUpgrade },
    (request, response) => previews.take(request, response) || handle(request, response),
  )
  server.on('upgrade', (request, socket: Socket, head) => {
    if (previews.upgrade(request, socket, head)) return
    // Older versions of Node do not call `shouldUpgradeCallback`.
    refuseMalformed(new Error('not a preview'), socket)
  })
  return server
}

/** Answers malformed HTTP with the usual error shape. Written by hand, since there is no request object. */
function refuseMalformed(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const body = JSON.stringify({ error: badInput('This is not a well-formed HTTP request.') })
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

/** Accepts JSON bodies, and form bodies outside the API for the plain login page. */
function acceptBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') return done(null, {})
    parseJson(request, body as string, done)
  })
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (request, body, done) => {
    if (isApi(request.url)) return done(badInput(SEND_JSON))
    done(null, Object.fromEntries(new URLSearchParams(body as string)))
  })
}

const SEND_JSON = 'Send JSON, with the header `content-type: application/json`.'

function mountOperations(app: FastifyInstance, engine: Engine, callerOf: Auth['callerOf']): void {
  for (const [name, { http }] of Object.entries(operations) as [OperationName, { http: readonly [string, string] }][]) {
    const [method, path] = http
    app.route({
      method,
      url: `/api/v1${path}`,
      exposeHeadRoute: false,
      handler: async (request, reply) => {
        const input = inputOf(request)
        const signal = 'wait' in input ? hangUp(reply) : undefined
        return engine.carrelFor(callerOf(request)).call(name, input as Input<typeof name>, signal)
      },
    })
  }
}

/** Returns a signal that aborts when the caller disconnects, which ends waits. */
function hangUp({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController()
  raw.once('close', () => raw.writableFinished || gone.abort())
  return gone.signal
}

async function answerError(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  engine: Engine,
): Promise<FastifyReply> {
  const error = translate(thrown as FastifyError)
  if (error.code === 'internal') logError(error, request, engine)
  if (error.code === 'too_large') await swallow(request)
  return sendProblem(reply, error)
}

function translate(thrown: FastifyError): CarrelError {
  if (thrown instanceof CarrelError) return thrown
  if (thrown.code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new CarrelError(
      'too_large',
      'The body is larger than this server accepts. Send less, or raise maxBodyBytes.',
    )
  if (thrown.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return badInput(SEND_JSON)
  if (thrown.code === 'FST_ERR_CTP_INVALID_JSON_BODY' || thrown instanceof SyntaxError)
    return badInput('The body is not well-formed JSON. Send one JSON object.')
  if (thrown.statusCode === 403 || thrown.statusCode === 404)
    return new CarrelError('not_found', 'There is nothing at this address.')
  if (thrown.statusCode !== undefined && thrown.statusCode < 500) return badInput(thrown.message)
  return asCarrelError(thrown)
}

/** Maximum bytes read and dropped of a body that is too large, so that its sender receives the error. */
const SWALLOW_BYTES = 268_435_456
const SWALLOW_MS = 10_000

function swallow({ raw }: FastifyRequest): Promise<void> {
  if (raw.readableEnded || raw.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    let bytes = 0
    const done = () => {
      clearTimeout(timer)
      raw.off('data', count)
      resolve()
    }
    const count = (chunk: Buffer | string) => {
      bytes += chunk.length
      if (bytes > SWALLOW_BYTES) done()
    }
    const timer = setTimeout(done, SWALLOW_MS)
    raw.on('data', count)
    raw.once('end', done)
    raw.once('close', done)
    raw.resume()
  })
}

function sendProblem(reply: FastifyReply, error: CarrelError): FastifyReply {
  return reply.code(ERRORS[error.code].status).type('application/json; charset=utf-8').send({ error: error.toJSON() })
}

const badInput = (message: string) => new CarrelError('bad_input', message)

function noRoute({ method, url }: FastifyRequest): CarrelError {
  const [path = ''] = url.split('?')
  const now = pathNow(path.slice(0, 200))
  const next = now ? `The path is ${now} now.` : 'See /api/v1/openapi.json for all operations.'
  return new CarrelError('not_found', `There is no ${method} ${path.slice(0, 200)}. ${next}`)
}

function logError(error: unknown, request: FastifyRequest, { log }: Engine): void {
  log.error(`${request.method} ${request.routeOptions.url ?? '(no route)'} failed`, error)
}

async function listen(app: FastifyInstance, { host, port }: HttpOptions): Promise<void> {
  try {
    await app.listen({ host, port })
  } catch (cause) {
    await app.close()
    const taken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
    const reason = taken ? `Port ${port} is taken.` : `Cannot listen on ${host}:${port}: ${messageOf(cause)}.`
    throw new CarrelError(
      'unavailable',
      `${reason} Choose another with --port, or --port 0 for a free one.`,
      { host, port },
      cause,
    )
  }
}

function portOf(app: FastifyInstance): number {
  const address = app.server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Returns a host name that a browser on this machine can open. */
function nameFor(host: string): string {
  if (host === '0.0.0.0' || host === '::' || host === '') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

async function close(app: FastifyInstance, streams: readonly Pick<Streams, 'end'>[]): Promise<void> {
  for (const each of streams) each.end()
  const timer = setTimeout(() => app.server.closeAllConnections(), CLOSE_MS)
  app.server.closeIdleConnections()
  await app.close().finally(() => clearTimeout(timer))
}
