import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type ProxyOptions, serveProxy, upstreamOf } from './proxy.ts'

const top = mkdtempSync(join(tmpdir(), 'carrel-proxy-'))
const servers: Server[] = []
let count = 0
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  rmSync(top, { recursive: true, force: true })
})

/** Starts a server that echoes the request. */
async function origin() {
  const asked: IncomingMessage[] = []
  const server = createServer((incoming, answer) => {
    asked.push(incoming)
    incoming.resume().on('end', () => answer.end(`you asked ${incoming.url}`))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  servers.push(server)
  return { asked, port: (server.address() as AddressInfo).port }
}

async function proxy(hosts: readonly string[], more: Partial<ProxyOptions> = {}) {
  count += 1
  const socket = join(top, `s${count}`)
  const stopped: string[] = []
  servers.push(
    await serveProxy({ socket, hosts, upstream: null, onStopped: (target) => stopped.push(target), ...more }),
  )
  return { socket, stopped }
}

const read = async (stream: AsyncIterable<Buffer>) => Buffer.concat(await Array.fromAsync(stream)).toString()

async function get(socketPath: string, url: string, headers: Record<string, string> = {}) {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ socketPath, path: url, headers: { connection: 'close', ...headers } }, resolve)
      .once('error', reject)
      .end()
  })
  return { status: answer.statusCode, text: await read(answer) }
}

/** Opens a tunnel and returns the answer to a GET through it, or the proxy's refusal. */
async function tunnelled(socketPath: string, target: string) {
  return await new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    const asked = request({ socketPath, method: 'CONNECT', path: target })
    asked.once('error', reject)
    asked.once('response', async (answer) => resolve({ status: answer.statusCode, text: await read(answer) }))
    asked.once('connect', async (answer, socket, head) => {
      socket.write('GET /through HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
      resolve({ status: answer.statusCode, text: head.toString() + (await read(socket)) })
    })
    asked.end()
  })
}

describe('the proxy of a strict sandbox', () => {
  it('passes on listed hosts, under their names and without headers for the proxy', async () => {
    const { asked, port } = await origin()
    const { socket, stopped } = await proxy([`127.0.0.1:${port}`])
    const headers = { host: 'other.example', 'proxy-authorization': 'Basic x', accept: 'text/plain' }
    expect(await get(socket, `http://127.0.0.1:${port}/a?b=c`, headers)).toEqual({
      status: 200,
      text: 'you asked /a?b=c',
    })
    expect(asked[0]?.headers).toMatchObject({ host: `127.0.0.1:${port}`, accept: 'text/plain' })
    expect(asked[0]?.headers).not.toHaveProperty('proxy-authorization')
    expect((await tunnelled(socket, `127.0.0.1:${port}`)).text).toContain('you asked /through')
    expect(stopped).toEqual([])
  })

  it('matches a host by its name, and resolves the name itself', async () => {
    const { port } = await origin()
    const { socket } = await proxy(['localhost'])
    expect((await get(socket, `http://LOCALHOST:${port}/a`)).text).toBe('you asked /a')
    expect((await tunnelled(socket, `localhost.:${port}`)).status).not.toBe(403)
    expect((await tunnelled(socket, `127.0.0.1:${port}`)).status).toBe(403)
  })

  it('blocks all else, and reports it', async () => {
    const { asked, port } = await origin()
    const { socket, stopped } = await proxy(['allowed.example', `127.0.0.1:${port + 1}`])
    const plain = await get(socket, `http://127.0.0.1:${port}/`)
    expect(plain).toMatchObject({
      status: 403,
      text: expect.stringContaining(`blocks connections to 127.0.0.1:${port}`),
    })
    expect(await tunnelled(socket, `127.0.0.1:${port}`)).toMatchObject({ status: 403 })
    expect(await tunnelled(socket, '[::1]:443')).toMatchObject({ status: 403 })
    expect(stopped).toEqual([`127.0.0.1:${port}`, `127.0.0.1:${port}`, '[::1]:443'])
    expect(asked).toEqual([])
  })

  it.each(['/only-a-path', 'ftp://allowed.example/', 'https://allowed.example/'])('takes no %s', async (path) => {
    expect((await get((await proxy(['allowed.example'])).socket, path)).status).toBe(400)
  })

  it.each(['allowed.example', 'allowed.example:', 'allowed.example:99999999', 'a b:c'])(
    'makes no tunnel to %s',
    async (to) => {
      expect((await tunnelled((await proxy(['allowed.example'])).socket, encodeURI(to))).status).toBe(400)
    },
  )

  it('reports an allowed host that is unreachable', async () => {
    const { socket, stopped } = await proxy(['127.0.0.1'])
    for (const answer of [await get(socket, 'http://127.0.0.1:1/'), await tunnelled(socket, '127.0.0.1:1')])
      expect(answer).toMatchObject({ status: 502, text: expect.stringContaining('cannot be reached') })
    expect(stopped).toEqual([])
  })

  it('uses the proxy of this machine, except for hosts that bypass it', async () => {
    const { port } = await origin()
    const away = `127.0.0.1:${port}`
    const outer = await serveOverTcp([away])
    const upstream = { url: `http://user:p%40ss@127.0.0.1:${outer.port}`, except: [] }
    const { socket } = await proxy(['127.0.0.1'], { upstream })
    expect((await get(socket, `http://${away}/a`)).text).toBe('you asked /a')
    expect((await tunnelled(socket, away)).text).toContain('you asked /through')
    expect(outer.seen).toEqual(['GET Basic dXNlcjpwQHNz', 'CONNECT Basic dXNlcjpwQHNz'])
    expect(await tunnelled(socket, '127.0.0.1:2')).toMatchObject({
      status: 502,
      text: expect.stringContaining('answered 403'),
    })
    const direct = await proxy(['127.0.0.1'], { upstream: { ...upstream, except: ['127.0.0.1'] } })
    expect((await get(direct.socket, `http://${away}/b`)).text).toBe('you asked /b')
    expect(outer.seen).toHaveLength(3)
  })
})

/** Serves the same proxy as another machine would have it. */
async function serveOverTcp(hosts: readonly string[]) {
  const { socket } = await proxy(hosts)
  const inner = servers.at(-1) as Server
  const seen: string[] = []
  for (const name of ['request', 'connect'] as const)
    inner.prependListener(name, ({ method, headers }: IncomingMessage) => {
      seen.push(`${method} ${headers['proxy-authorization']}`)
    })
  const { createServer: listen, connect } = await import('node:net')
  const outer = listen((near) => void near.pipe(connect(socket)).pipe(near))
  await new Promise<void>((resolve) => outer.listen(0, '127.0.0.1', resolve))
  servers.push(outer as unknown as Server)
  Object.assign(outer, { closeAllConnections: () => undefined })
  return { port: (outer.address() as AddressInfo).port, seen }
}

it.each([
  [{}, null],
  [{ HTTPS_PROXY: 'http://p:3128' }, { url: 'http://p:3128', except: [] }],
  [
    { http_proxy: 'http://p:3128', no_proxy: 'a.b, .c.d,*.e' },
    { url: 'http://p:3128', except: ['a.b', '*.a.b', 'c.d', '*.c.d', 'e', '*.e'] },
  ],
  [{ HTTPS_PROXY: 'socks5://p:1' }, null],
  [{ HTTPS_PROXY: 'nonsense' }, null],
])('the proxy that %j names', (env, expected) => {
  expect(upstreamOf(env)).toEqual(expected)
})
