import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isPresent } from '../../primitives/absent-as-null.ts'
import { PACKAGE_ROOT } from '../../primitives/programs.ts'
import { isApi } from './gate.ts'
import { plainPage } from './login-page.ts'

/** Where the build puts the page. */
export const WEB_FOLDER = join(PACKAGE_ROOT, 'dist', 'web')

/**
 * Serves the page. It holds no data, so everybody who passed the gate may have it: what it asks for needs a login.
 * @returns answers a request that no route took, or false when it is none of a page's
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
  // The root is a folder to the file server, which refuses folders.
  app.get('/', (_request, reply) => sendPage(reply))
  return (request, reply) => wantsPage(request) && sendPage(reply)
}

/** Names with a hash in them never mean another content. */
function cachingOf(path: string): string {
  return /[\\/]assets[\\/][^\\/]+-[\w-]{8,}\.\w+$/.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache'
}

/** A route of the page has no ending; what has one is a file, and a file that is not there is missing. */
function wantsPage({ method, url }: FastifyRequest): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  const [path = ''] = url.split(/[?#]/)
  return !isApi(url) && !/\.[a-z0-9]{1,8}$/i.test(path)
}

function notBuilt(reply: FastifyReply): FastifyReply {
  const says = `<p>The server runs, but its page was never built. In Carrel's folder run <code>npm run build</code>, then
load this again. The API works meanwhile: <a href="/api/v1/openapi.json">its description</a>.</p>`
  return reply.code(503).type('text/html; charset=utf-8').send(plainPage('The page is not built', says))
}
