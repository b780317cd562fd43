import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isPresent } from '../../primitives/absent-as-null.ts'
import { PACKAGE_ROOT } from '../../primitives/programs.ts'
import { isApi } from './gate.ts'
import { plainPage } from './login-page.ts'

export const WEB_FOLDER = join(PACKAGE_ROOT, 'dist', 'web')

/**
 * Serves the page without login: the page contains no data, and its requests need a login.
 * @returns a function that answers requests without a route, or returns false when they are not for the page
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
  return (request, reply) => wantsPage(request) && sendPage(reply)
}

/** Returns the cache policy. Files with a hash in their name never change. */
const cachingOf = (path: string): string =>
  /[\\/]assets[\\/][^\\/]+-[\w-]{8,}\.\w+$/.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache'

/** Whether a request is for a route of the page. A path with a file extension is a missing file instead. */
function wantsPage({ method, url }: FastifyRequest): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  const [path = ''] = url.split(/[?#]/)
  return !isApi(url) && !/\.[a-z0-9]{1,8}$/i.test(path)
}

function notBuilt(reply: FastifyReply): FastifyReply {
  const body = `<p>The server runs, but its page was never built. Run <code>npm run build</code> in Carrel's folder, then
reload. The API already works: <a href="/api/v1/openapi.json">see its description</a>.</p>`
  return reply.code(503).type('text/html; charset=utf-8').send(plainPage('The page is not built', body))
}
