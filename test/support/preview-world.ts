import { connect as dial } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Output } from '../../src/api/index.ts'
import type { Config } from '../../src/model/settings/config.ts'
import { order } from './carrel-session.ts'
import { type DevServer, openDevServer } from './dev-server.ts'
import { type Answer, ask, type HttpWorld, openHttpWorld } from './http-world.ts'

type Headers = Record<string, string>
type Port = Output<'ports.list'>['ports'][number]

export interface PreviewWorld extends HttpWorld {
  /** Creates a place with a port `web`. */
  lease(workspace?: string): Promise<Port & { readonly project: string }>
  /** Logs a browser in at Carrel and returns its cookie. */
  login(): Promise<string>
  /** Sends a request to Carrel itself, as `127.0.0.1`. */
  carrel(path: string, headers?: Headers): Promise<Answer>
  /** Sends a request to the host of a preview. */
  at(
    preview: string,
    path: string,
    options?: { method?: string; headers?: Headers; body?: string | Buffer },
  ): Promise<Answer>
  /** Opens a preview as the page's link does and returns its cookie. */
  enter(preview: string, login: string): Promise<string>
}

/** Opens a real server whose runs get ports. Closed at the end of the test. */
export async function openPreviewWorld(
  settings: Partial<Config> = {},
  options: Parameters<typeof openHttpWorld>[1] = {},
): Promise<PreviewWorld> {
  const world = await openHttpWorld({ runsAtOnce: 8, ...settings }, options)
  onTestFinished(() => world.close())
  const { client, server, engine } = world
  const carrel: PreviewWorld['carrel'] = (path, headers = {}) => ask(server.port, path, { headers })
  const at: PreviewWorld['at'] = (preview, path, { headers, ...more } = {}) =>
    ask(server.port, path, { ...more, headers: { host: `${preview}.localhost:${server.port}`, ...headers } })
  let made = 0
  return {
    ...world,
    carrel,
    at,
    async lease(workspace = 'default') {
      made += 1
      const { project } = await client.call('spaces.create', { workspace, name: `Shop ${made}` })
      await client.call('environment.set', { workspace, project: project.id, settings: { ports: ['web'] } })
      const { id } = await client.call('sessions.create', { workspace, project: project.id, agent: 'scripted' })
      await client.call('sessions.prompt', { workspace, id, content: order([{ say: 'here' }]), wait: 'ended' })
      const { ports } = await client.call('ports.list', { workspace, project: project.id })
      return { ...(ports[0] as Port), project: project.id }
    },
    login: async () => cookieOf(await carrel(`/login?token=${engine.token}`)),
    async enter(preview, login) {
      const { headers } = await carrel(`/preview/${preview}`, { cookie: login })
      const { pathname, search } = new URL(String(headers.location))
      return cookieOf(await at(preview, pathname + search))
    },
  }
}

/** Returns the first cookie that an answer sets, as a browser sends it back. */
export const cookieOf = ({ headers }: Answer): string => (headers['set-cookie'] as string[])[0]?.split(';')[0] ?? ''

export async function serve(
  port: number,
  answer: Parameters<typeof openDevServer>[1],
  host?: string,
): Promise<DevServer> {
  const server = await openDevServer(port, answer, host)
  onTestFinished(() => server.close())
  return server
}

/** Opens a preview with a program behind it and a person who may see it. */
export async function shown(
  world: PreviewWorld,
  answer: Parameters<typeof openDevServer>[1] = (_, to) => to.end('the app'),
) {
  const place = await world.lease()
  const server = await serve(place.port, answer)
  const login = await world.login()
  const cookie = await world.enter(place.preview, login)
  const get = (path: string, headers: Record<string, string> = {}) =>
    world.at(place.preview, path, { headers: { cookie, ...headers } })
  return { ...place, server, login, cookie, get, host: `${place.preview}.localhost:${world.server.port}` }
}

/** Sends raw bytes and returns the answer. */
export function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = dial(port, '127.0.0.1', () => socket.write(text))
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(answer))
  })
}
