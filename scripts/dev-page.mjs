import { realpathSync } from 'node:fs'
import { request as ask, createServer as createHttpServer } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { createServer as createVite } from 'vite'
import { ROOT } from './carried.mjs'

/** The server's own paths; all others are the page's. */
const SERVED = /^\/(?:api|login|logout|preview)(?:[/?#]|$)/
/** Headers of one connection (RFC 9110, 7.6.1), which are not passed on. */
const OF_CONNECTION = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade']

/**
 * Serves `web` with hot reload on the loopback, and passes the server's paths on to `serverPort`, streams too.
 * Resolves with `{ close() }`. Throws when the port is taken.
 */
export async function openPage({ port, serverPort, data }) {
  const server = createHttpServer((request, response) =>
    pass(request, response, () => vite.middlewares(request, response)),
  )
  const pass = gate(port, serverPort)
  const vite = await createVite({
    root: join(ROOT, 'web'),
    configFile: join(ROOT, 'web', 'vite.config.ts'),
    // Prepared packages depend on the place of the checkout, and another server's must not be thrown away.
    cacheDir: join(data, 'vite'),
    clearScreen: false,
    logLevel: 'warn',
    server: {
      // With a server of its own vite would end this process at SIGTERM, and Carrel's server with it.
      middlewareMode: true,
      port,
      hmr: { server },
      // Other origins get nothing here either; the server's own gate decides about its paths.
      cors: false,
      fs: { allow: folders(data) },
    },
  })
  await new Promise((resolve, reject) => server.once('error', reject).listen({ port, host: '127.0.0.1' }, resolve))
  return {
    async close() {
      server.closeAllConnections()
      server.close()
      await vite.close()
    },
  }
}

/** Returns the folders a browser may load from: the page's sources and packages, never the token beside them. */
function folders(data) {
  const sources = ['web', 'src/model', 'src/api', 'src/client', 'package.json', 'node_modules']
  return [...sources.map((path) => realpathSync(join(ROOT, path))), join(data, 'vite')]
}

/**
 * Refuses foreign names (DNS rebinding), and answers the server's paths.
 * The page's own origin becomes the server's; any other goes on as it is, and the server refuses it (B2).
 */
function gate(port, serverPort) {
  const hosts = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${port}`)
  const own = new Set(hosts.map((host) => `http://${host}`))
  const target = { host: '127.0.0.1', port: serverPort }
  return (request, response, next) => {
    if (!hosts.includes(request.headers.host?.toLowerCase())) {
      response.writeHead(403, { 'content-type': 'text/plain' }).end(`Host not allowed. Use http://${hosts[0]}.\n`)
    } else if (!SERVED.test(request.url)) next()
    else {
      const headers = { ...without(request.headers), host: `${target.host}:${target.port}` }
      if (own.has(headers.origin?.toLowerCase())) headers.origin = `http://${headers.host}`
      forward(request, response, { ...target, method: request.method, path: request.url, headers })
    }
  }
}

function forward(request, response, options) {
  const asked = ask(options, (answer) => {
    response.writeHead(answer.statusCode, without(answer.headers))
    // A stream may say nothing for a while, and the page waits for the head of the answer.
    response.flushHeaders()
    // A server that dies cuts the answer off, which the page has to see in order to come back.
    pipeline(answer, response, () => response.destroy())
  })
  asked.on('error', () => {
    if (response.headersSent) return response.destroy()
    const error = { code: 'unavailable', message: 'The server is starting, or did not start: see the terminal.' }
    response.writeHead(503, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
  })
  response.on('close', () => asked.destroy())
  pipeline(request, asked, () => {})
}

function without(headers) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_CONNECTION.includes(name)))
}
