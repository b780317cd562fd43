import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Engine } from '../../engine/engine.ts'
import { asCarrelError } from '../../model/errors.ts'
import { PreviewName } from '../../model/settings/environment.ts'
import type { Caller } from '../../model/tree.ts'
import { type Auth, type Login, localPath } from '../http/auth.ts'
import type { PreviewHosts } from './hosts.ts'
import type { PreviewLogins } from './logins.ts'
import { againNotice, domainNotice, goneNotice, NOT_YOURS, type Notice, noticePage } from './notices.ts'
import { ENTER, schemeOf } from './preview.ts'

interface Parts {
  readonly engine: Engine
  readonly auth: Auth
  readonly hosts: PreviewHosts
  readonly logins: PreviewLogins
}

/** Mounts `GET /preview/:preview` on Carrel's own origin, the only entry to previews. Checks the login, issues a ticket. */
export function mountPreviewDoor(app: FastifyInstance, { engine, auth, hosts, logins }: Parts): void {
  auth.onLogout((login) => logins.end(login))
  app.get('/preview/:preview', { exposeHeadRoute: false }, async (request, reply) => {
    const name = PreviewName.safeParse((request.params as { preview?: unknown }).preview)
    if (!name.success) return send(reply, goneNotice)
    const { path, arrived } = request.query as { path?: unknown; arrived?: unknown }
    const query = typeof path === 'string' ? `?path=${encodeURIComponent(localPath(path))}` : ''
    const here = `/preview/${name.data}${query}`
    const { 'sec-fetch-site': site, 'sec-fetch-dest': dest } = request.headers
    if (dest !== undefined && dest !== 'document') return send(reply, NOT_YOURS)
    // From another site the browser omits the login cookie; a reload from here sends it. The login form's `form-action`
    // also covers redirects and allows only this origin, so its redirects must end here and a new navigation begins.
    if (site === 'cross-site' || arrived !== undefined) return send(reply, againNotice(here))
    const login = await loginOf(auth, request)
    if (login === null) {
      const next = `${here}${query === '' ? '?' : '&'}arrived`
      return reply.header('cache-control', 'no-store').redirect(`/login?next=${encodeURIComponent(next)}`, 303)
    }
    const workspace = await workspaceOf(engine, login.caller, name.data)
    if (workspace === null) return send(reply, goneNotice)
    const carrel = (request.headers.host ?? '').toLowerCase()
    const host = hosts.hostOf(name.data, carrel)
    if (host === null) return send(reply, domainNotice(carrel))
    const ticket = logins.ticket(name.data, workspace, login)
    const more = new URLSearchParams({ ticket, path: localPath(path), came: carrel })
    return reply.header('cache-control', 'no-store').redirect(`${schemeOf(request)}://${host}${ENTER}?${more}`, 303)
  })
}

async function loginOf(auth: Auth, request: FastifyRequest): Promise<Login | null> {
  try {
    return await auth.authenticate(request)
  } catch (thrown) {
    if (asCarrelError(thrown).code === 'unauthenticated') return null
    throw thrown
  }
}

/** Finds the workspace of a preview among those of the caller; previews of other workspaces do not exist (B1). */
async function workspaceOf(engine: Engine, caller: Caller, preview: string): Promise<string | null> {
  const carrel = engine.carrelFor(caller)
  const { workspaces } = await carrel.call('workspaces.list', {})
  for (const { id } of workspaces) {
    try {
      await carrel.call('ports.get', { workspace: id, preview })
      return id
    } catch (thrown) {
      if (asCarrelError(thrown).code !== 'not_found') throw thrown
    }
  }
  return null
}

function send(reply: FastifyReply, notice: Notice): FastifyReply {
  return reply
    .code(notice.status)
    .header('cache-control', 'no-store')
    .type('text/html; charset=utf-8')
    .send(noticePage(notice))
}
