import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isPageView } from '../../api/page-views.ts'
import { isPresent } from '../../primitives/absent-as-null.ts'
import { PACKAGE_ROOT } from '../../primitives/programs.ts'
import { isApi } from './gate.ts'
import { plainPage } from './login-page.ts'

export const WEB_FOLDER = join(PACKAGE_ROOT, 'dist', 'web')

/**
 * Serves the page without login: the page contains no data, and its requests need a login.
 * @returns a function that answers requests of browsers without a route, or returns false for all others
 */
export async function mountPage(
  app: FastifyInstance,
  folder: string | null,
): Promise<(request: FastifyRequest, reply: FastifyReply) => FastifyReply | false> {
  if (folder === null) return () => false
  await app.register(fastifyStatic, {
    root: folder,
    wildcard: true,
    dotfiles: 'deny',
    cacheControl: false,
    suppressWarning: true,
    setHeaders: (reply, path) => reply.header('cache-control', cachingOf(path)),
  })
  const sendPage = (reply: FastifyReply): FastifyReply => {
    if (!isPresent(join(folder, 'index.html'))) return notBuilt(reply)
    return reply.code(200).header('cache-control', 'no-cache').sendFile('index.html')
  }
  // The file server refuses folders, and the root is one.
  app.get('/', (_request, reply) => sendPage(reply))
  return (request, reply) => {
    if (wantsView(request)) return sendPage(reply)
    return wantsHtml(request) && nothingHere(reply)
  }
}

/** Returns the cache policy. Files with a hash in their name never change. */
const cachingOf = (path: string): string =>
  /[\\/]assets[\\/][^\\/]+-[\w-]{8,}\.\w+$/.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache'

const isRead = ({ method }: FastifyRequest): boolean => method === 'GET' || method === 'HEAD'

const wantsView = (request: FastifyRequest): boolean =>
  isRead(request) && isPageView(request.url.split(/[?#]/)[0] ?? '')

/** Whether a person opened the address in a browser. Programs get the error as JSON. */
const wantsHtml = (request: FastifyRequest): boolean =>
  isRead(request) && !isApi(request.url) && (request.headers.accept ?? '').includes('text/html')

function nothingHere(reply: FastifyReply): FastifyReply {
  const body = '<p>Carrel has no view at this address. <a href="/">Go to the start</a>.</p>'
  return reply.code(404).type('text/html; charset=utf-8').send(plainPage('There is nothing here', body))
}

function notBuilt(reply: FastifyReply): FastifyReply {
  const body = `<p>The server runs, but its page was never built. Run <code>npm run build</code> in Carrel's folder, then
reload. The API already works: <a href="/api/v1/openapi.json">see its description</a>.</p>`
  return reply.code(503).type('text/html; charset=utf-8').send(plainPage('The page is not built', body))
}
