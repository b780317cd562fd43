import { connect as dial } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { type DevServer, openDevServer } from '../support/dev-server.ts'
import { openPreviewWorld, type PreviewWorld, raw, serve, shown } from '../support/preview-world.ts'

it('B5: a program sees and sets no cookie of Carrel’s, none for a whole domain, and nothing that leads elsewhere', async () => {
  const world = await openPreviewWorld()
  const { get, cookie, login, port, host, server } = await shown(world, ({ url }, to) => {
    to.setHeader('set-cookie', [
      'app=1; Domain=localhost; Path=/; HttpOnly',
      'carrel_4747=x; Path=/',
      '__Host-carrel_preview=x; Path=/; Secure',
      '=carrel_preview=x',
      'plain=2',
    ])
    to.setHeader('clear-site-data', '"cookies"').setHeader('alt-svc', 'h3=":443"')
    to.writeHead(302, { location: `http://localhost:${url === '/else' ? 1 : port}/next?x=1` }).end()
  })
  const answer = await get('/', {
    cookie: `mine=1; ${login}; ${cookie}; carrel_came=x`,
    'x-forwarded-host': 'evil.example',
    forwarded: 'host=evil.example',
    connection: 'close, x-drop',
    'x-drop': '1',
    te: 'trailers',
  })
  expect([answer.status, answer.headers.location]).toEqual([302, `http://${host}/next?x=1`])
  expect(answer.headers['set-cookie']).toEqual(['app=1; Path=/; HttpOnly', 'plain=2'])
  expect(answer.headers['clear-site-data'] ?? answer.headers['alt-svc']).toBeUndefined()
  const { headers } = server.seen[0] as DevServer['seen'][number]
  expect(headers).toMatchObject({ host, cookie: 'mine=1', 'x-forwarded-for': '127.0.0.1' })
  for (const name of ['forwarded', 'x-forwarded-host', 'x-drop', 'te']) expect(headers[name], name).toBeUndefined()
  expect((await get('/else')).headers.location).toBe('http://localhost:1/next?x=1')
})

it('B5: bodies of any size, streams, HEAD and errors pass unchanged', async () => {
  const world = await openPreviewWorld({ maxBodyBytes: 1_024 })
  let more = () => undefined as unknown
  const { preview, cookie, get, server } = await shown(world, (request, to) => {
    if (request.url === '/echo') return void request.pipe(to)
    if (request.url === '/teapot') return void to.writeHead(418, { 'x-app': 'tea' }).end('short and stout')
    to.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: one\n\n')
    more = () => to.end('data: two\n\n')
  })
  const body = Buffer.alloc(8_000_000, 'carrel ')
  const echoed = await world.at(preview, '/echo', { method: 'POST', headers: { cookie }, body })
  expect(echoed.status).toBe(200)
  expect(echoed.text === body.toString()).toBe(true)
  const teapot = await get('/teapot')
  expect([teapot.status, teapot.headers['x-app'], teapot.text]).toEqual([418, 'tea', 'short and stout'])
  const head = await world.at(preview, '/teapot', { method: 'HEAD', headers: { cookie } })
  expect([head.status, head.headers['x-app'], head.text, server.seen.at(-1)?.method]).toEqual([418, 'tea', '', 'HEAD'])
  const stream = await fetchStream(world, preview, cookie)
  expect(await stream.next()).toBe('data: one\n\n')
  more()
  expect(await stream.next()).toBe('data: two\n\n')
})

/** Collects the pieces of an answer as they arrive. */
async function fetchStream(world: PreviewWorld, preview: string, cookie: string) {
  const socket = dial(world.server.port, '127.0.0.1')
  socket.write(`GET /sse HTTP/1.1\r\nHost: ${preview}.localhost:${world.server.port}\r\nCookie: ${cookie}\r\n\r\n`)
  onTestFinished(() => void socket.destroy())
  const pieces = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let held = ''
  return {
    async next(): Promise<string> {
      for (;;) {
        const found = /data: \w+\n\n/.exec(held)
        if (found) {
          held = held.slice(found.index + found[0].length)
          return found[0]
        }
        const { value, done } = await pieces.next()
        if (done) throw new Error(`ended with ${held}`)
        held += value
      }
    },
  }
}

it('B5: a WebSocket passes, for the preview’s own pages only; it ends with the login and with the lease', async () => {
  const world = await openPreviewWorld()
  const one = await shown(world)
  const head = (more: string) =>
    `GET /hmr HTTP/1.1\r\nHost: ${one.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`
  const cookie = `Cookie: ${one.cookie}; ${one.login}\r\n`
  expect(await raw(world.server.port, head(''))).toMatch(/^HTTP\/1\.1 401 /)
  expect(await raw(world.server.port, head(`${cookie}Origin: https://evil.example\r\n`))).toMatch(/^HTTP\/1\.1 403 /)
  expect(await raw(world.server.port, head(cookie).replace('GET /hmr', 'GET http://x/hmr'))).toMatch(/^HTTP\/1\.1 400 /)
  expect(one.server.sockets.size).toBe(0)
  // Carrel itself has no WebSockets: the request is an ordinary one there.
  const plain = head('').replace(one.host, `127.0.0.1:${world.server.port}`).replace('/hmr', '/api/v1/workspaces')
  const answer = raw(world.server.port, plain.replace('Connection: Upgrade', 'Connection: close, Upgrade'))
  expect(await answer).toMatch(/^HTTP\/1\.1 401 /)

  const echo = await openSocket(world.server.port, head(`${cookie}Origin: http://${one.host}\r\n`))
  expect(echo.head).toMatch(/^HTTP\/1\.1 101 /)
  expect(echo.head).toContain('set-cookie: hmr=1\r\n')
  expect(echo.head).not.toMatch(/carrel|domain/i)
  expect(await echo.say('hello')).toContain('echo hello')
  expect(one.server.seen.at(-1)?.headers.cookie).toBeUndefined()
  await fetch(`${world.server.url}/logout`, { method: 'POST', headers: { cookie: one.login } })
  await echo.closed
  expect((await one.get('/')).status).toBe(401)

  const again = await openSocket(
    world.server.port,
    head(`Cookie: ${await world.enter(one.preview, await world.login())}\r\n`),
  )
  expect(await again.say('still')).toContain('echo still')
  const [, space = ''] = one.place.split(':')
  await world.client.call('spaces.delete', { workspace: 'default', id: space, confirm: true })
  await again.closed
})

/** Opens a WebSocket by hand: sends a text and collects the answer. */
async function openSocket(port: number, head: string) {
  const socket = dial(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => undefined)
  const next = () => new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())))
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const first = next()
  socket.write(head)
  return {
    head: await first,
    closed,
    say(text: string) {
      const answer = next()
      socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]))
      return answer
    },
  }
}

it('B5: where nothing listens a page names the port’s owner and the last command, and retries; so does one for strict', async () => {
  const world = await openPreviewWorld()
  const { preview, port, project } = await world.lease()
  const cookie = await world.enter(preview, await world.login())
  const page = () => world.at(preview, '/some', { headers: { cookie, accept: 'text/html,*/*' } })
  const silent = await page()
  expect([silent.status, silent.headers['cache-control']]).toEqual([503, 'no-store'])
  expect(silent.text).toContain('<meta http-equiv="refresh" content="2">')
  expect(silent.text).toMatch(new RegExp(`Shop 1, project [^:]+: web is port ${port}. Runs find it in CARREL_PORT_WEB`))
  expect(silent.text).toContain('(scripted): Completed')
  const script = await world.at(preview, '/some', { headers: { cookie, accept: 'application/json' } })
  expect([script.status, script.headers['content-type']]).toEqual([503, 'text/plain; charset=utf-8'])
  const server = await openDevServer(port, (_, to) => to.end('up'), '::1').catch(() => null)
  if (server) {
    expect((await page()).text).toBe('up')
    await server.close()
  }
  await world.client.call('environment.set', { workspace: 'default', project, settings: { sandbox: 'strict' } })
  const strict = await page()
  expect(strict.text).toContain('with their own network')
  expect(strict.text).not.toContain('http-equiv')
  expect((await world.client.call('ports.list', { workspace: 'default', project })).ports[0]).toMatchObject({
    apart: true,
  })
  const hangs = await serve(port, (request) => void request.socket.destroy())
  expect((await page()).status).toBe(502)
  expect(hangs.seen).toHaveLength(1)
})
