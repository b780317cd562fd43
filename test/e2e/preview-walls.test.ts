import { expect, it } from 'vitest'
import { cookieOf, openPreviewWorld, raw, serve, shown } from '../support/preview-world.ts'

it('B5: the link leads over the login to the preview’s own origin, and the ticket is valid once, there, for a minute', async () => {
  let now = 1_900_000_000_000
  const world = await openPreviewWorld({}, { now: () => now })
  const { preview, port } = await world.lease()
  const server = await serve(port, (_, to) => to.end('the app'))
  const nobody = await world.carrel(`/preview/${preview}?path=/deep?a=1`)
  expect(nobody.status).toBe(303)
  expect(nobody.headers.location).toBe(
    `/login?next=${encodeURIComponent(`/preview/${preview}?path=%2Fdeep%3Fa%3D1&arrived`)}`,
  )
  const login = await world.login()
  const arrived = await world.carrel(`/preview/${preview}?path=%2Fdeep%3Fa%3D1&arrived`, { cookie: login })
  expect(arrived.text).toContain(`content="0;url=/preview/${preview}?path=%2Fdeep%3Fa%3D1"`)

  const way = async (path = '/deep?a=1') => {
    const { status, headers } = await world.carrel(`/preview/${preview}?path=${encodeURIComponent(path)}`, {
      cookie: login,
    })
    const to = new URL(String(headers.location))
    expect([status, to.host]).toEqual([303, `${preview}.localhost:${world.server.port}`])
    return to.pathname + to.search
  }
  const first = await way()
  const entered = await world.at(preview, first)
  expect([entered.status, entered.headers.location]).toEqual([303, '/deep?a=1'])
  const [cookie = ''] = entered.headers['set-cookie'] as string[]
  expect(cookie).toMatch(/^carrel_preview=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Expires=/)
  expect(cookie).not.toMatch(/domain/i)
  expect((await world.at(preview, first)).status).toBe(401)

  const other = await world.lease()
  expect((await world.at(other.preview, await way())).status).toBe(401)
  const late = await way()
  now += 60_000
  expect((await world.at(preview, late)).status).toBe(401)
  expect((await world.at(preview, await way('//evil.example/'))).headers.location).toBe('/')
  expect((await world.at(preview, '/.carrel/enter?ticket=x')).status).toBe(401)
  expect((await world.at(preview, '/.carrel/other')).status).toBe(404)
  expect(server.seen).toEqual([])
  const [value = ''] = cookie.split(';')
  const app = await world.at(preview, '/deep?a=1', { headers: { cookie: value } })
  expect([app.status, app.text, server.seen[0]?.url]).toEqual([200, 'the app', '/deep?a=1'])
  expect((await world.at(other.preview, '/', { headers: { cookie: value } })).status).toBe(401)
})

it('B5: without a cookie no request is passed on, whatever else it carries; a page says where to open it', async () => {
  const world = await openPreviewWorld()
  const { preview, server, login } = await shown(world)
  const tries = [
    {},
    { cookie: login },
    { authorization: `Bearer ${world.engine.token}` },
    { cookie: 'carrel_preview=x; carrel_preview=' },
    { origin: `http://${preview}.localhost:${world.server.port}` },
  ]
  for (const headers of tries) {
    const answer = await world.at(preview, '/page', { headers: { accept: 'text/html', ...headers } })
    expect(answer.status, JSON.stringify(headers)).toBe(401)
    expect(answer.text).toContain(`<a href="http://127.0.0.1:${world.server.port}/preview/${preview}?path=%2Fpage">`)
    expect(answer.text).not.toMatch(/Shop|default/)
  }
  const back = await world.at(preview, '/', { headers: { accept: 'text/html', cookie: 'carrel_came=evil.example' } })
  expect(back.text).not.toContain('evil.example')
  expect(server.seen).toEqual([])
})

it('B5: Carrel is never at a preview’s host, and a preview’s origin may not call Carrel, even if the owner allowed it', async () => {
  const origin = 'http://web-aaaaaaaaaaaaaaaa.localhost:1'
  const world = await openPreviewWorld({ allowedOrigins: [origin], allowedHosts: ['web-aaaaaaaaaaaaaaaa.example'] })
  const { preview, cookie, login, get, server } = await shown(world, (_, to) => to.writeHead(404).end('no such page'))
  const bearer = { authorization: `Bearer ${world.engine.token}` }
  for (const path of ['/api/v1/workspaces', '/login', `/login?token=${world.engine.token}`, `/preview/${preview}`]) {
    const answer = await get(path, bearer)
    expect([path, answer.status, answer.text]).toEqual([path, 404, 'no such page'])
  }
  // The program gets the request, but not the token in the header.
  expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined, undefined, undefined])
  const own = `http://${preview}.localhost:${world.server.port}`
  for (const from of [origin, own]) {
    const answer = await world.carrel('/api/v1/workspaces', { ...bearer, origin: from })
    expect([from, answer.status, answer.headers['access-control-allow-origin']]).toEqual([from, 403, undefined])
  }
  expect((await world.carrel('/api/v1/workspaces', { ...bearer, host: 'web-aaaaaaaaaaaaaaaa.example' })).status).toBe(
    403,
  )
  expect((await world.carrel('/api/v1/workspaces', { cookie })).status).toBe(401)
  // Another page of the same site brings the cookie along, and it does not count.
  expect((await world.carrel('/api/v1/workspaces', { cookie: login })).status).toBe(200)
  for (const site of ['same-site', 'cross-site'])
    expect((await world.carrel('/api/v1/workspaces', { cookie: login, 'sec-fetch-site': site })).status).toBe(401)
  // A cookie that it set for the whole domain stands beside the right one, in any order.
  const name = login.split('=')[0]
  for (const both of [`${name}=forged; ${login}`, `${login}; ${name}=forged`])
    expect((await world.carrel('/api/v1/workspaces', { cookie: both })).status, both).toBe(200)
})

it('B5: hosts that resemble a preview’s, several Hosts and addresses of other servers are refused', async () => {
  const world = await openPreviewWorld()
  const { preview, cookie, server } = await shown(world)
  const { port } = world.server
  const hosts = [
    `${preview}.localhost:${port + 1}`,
    `${preview}.localhost`,
    `${preview}.localhost.:${port}`,
    `${preview}.localhost:${port}.evil.example`,
    `${preview}.evil.example:${port}`,
    `evil.${preview}.localhost:${port}`,
    `user@${preview}.localhost:${port}`,
    `${preview}.127.0.0.1:${port}`,
    `${preview}:${port}`,
  ]
  for (const host of hosts) {
    const answer = await world.at(preview, '/', { headers: { host, cookie } })
    expect([host, answer.status]).toEqual([host, 403])
  }
  const guessed = `${preview.slice(0, -1)}${preview.endsWith('a') ? 'b' : 'a'}`
  expect((await world.at(guessed, '/', { headers: { cookie } })).status).toBe(401)
  expect((await world.carrel(`/preview/${guessed}`, { cookie: await world.login() })).status).toBe(404)
  const head = `Host: ${preview}.localhost:${port}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`
  const lines = [
    `GET http://evil.example/ HTTP/1.1\r\n${head}`,
    `GET http://127.0.0.1:${server.port}/ HTTP/1.1\r\n${head}`,
    `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${head}`,
    `GET / HTTP/1.1\r\nX: a\r\n b\nHost: evil\r\n${head}`,
    `OPTIONS * HTTP/1.1\r\n${head}`,
    `CONNECT 127.0.0.1:${server.port} HTTP/1.1\r\n${head}`,
  ]
  for (const line of lines) expect(await raw(port, line), line).not.toMatch(/^HTTP\/1\.1 200|the app/)
  expect(server.seen).toEqual([])
})

it('B5: pages of other origins get nothing of a preview, though their requests bring its cookie; a navigation may go there', async () => {
  const world = await openPreviewWorld()
  const { preview, cookie, get, host, server } = await shown(world)
  const foreign = [
    { origin: 'https://evil.example' },
    { origin: `http://127.0.0.1:${world.server.port}` },
    { origin: 'null' },
    { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
  ]
  for (const headers of foreign) expect((await get('/', headers)).status, JSON.stringify(headers)).toBe(403)
  const posted = { cookie, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  expect((await world.at(preview, '/', { method: 'POST', headers: posted, body: 'x' })).status).toBe(403)
  expect(server.seen).toEqual([])
  expect((await get('/', posted)).status).toBe(200)
  expect((await get('/', { origin: `http://${host}`, 'sec-fetch-site': 'same-origin' })).status).toBe(200)
  expect((await get('/', { origin: 'null', 'sec-fetch-site': 'same-origin' })).status).toBe(200)
})

it('B5: previews work below a domain of one’s own, and without one an error says what to set', async () => {
  const world = await openPreviewWorld({ allowedHosts: ['carrel.example'], previewDomain: 'preview.example' })
  const { preview, login, port, server } = await shown(world, (_, to) =>
    to.writeHead(302, { location: `http://localhost:${port}/next` }).end(),
  )
  const host = `${preview}.preview.example`
  const secure = { host: 'carrel.example', 'x-forwarded-proto': 'https', cookie: login }
  const opened = await world.carrel(`/preview/${preview}`, secure)
  const to = new URL(String(opened.headers.location))
  expect(to.origin).toBe(`https://${host}`)
  const entered = await world.at(preview, to.pathname + to.search, { headers: { host, 'x-forwarded-proto': 'https' } })
  const [set = '', came = ''] = entered.headers['set-cookie'] as string[]
  expect(set).toMatch(/^__Host-carrel_preview=.*; Secure/)
  const cookie = set.split(';')[0] ?? ''
  const headers = {
    host,
    'x-forwarded-proto': 'https',
    cookie,
    origin: `https://${host}`,
    referer: `https://${host}/a`,
  }
  const answer = await world.at(preview, '/', { headers })
  expect(answer.headers.location).toBe(`https://${host}/next`)
  const inside = `http://localhost:${port}`
  expect(server.seen.at(-1)?.headers).toMatchObject({
    host: `localhost:${port}`,
    origin: inside,
    referer: `${inside}/a`,
  })
  const back = await world.at(preview, '/', {
    headers: { host, cookie: came.split(';')[0] ?? '', accept: 'text/html' },
  })
  expect([back.status, back.text]).toEqual([401, expect.stringContaining(`http://carrel.example/preview/${preview}`)])
  // A proxy in front may have https without a header about it: the browser's Origin reveals it.
  const unsaid = new URL(
    String((await world.carrel(`/preview/${preview}`, { ...secure, 'x-forwarded-proto': '' })).headers.location),
  )
  expect(unsaid.origin).toBe(`http://${host}`)
  const plain = cookieOf(await world.at(preview, unsaid.pathname + unsaid.search, { headers: { host } }))
  const posted = { host, cookie: plain, origin: `https://${host}` }
  expect((await world.at(preview, '/', { method: 'POST', headers: posted })).status).toBe(302)
  expect(server.seen.at(-1)?.headers.origin).toBe(inside)
  for (const wrong of [`${preview}.example`, `${preview}.evil.preview.example`, 'preview.example', `x.${host}`])
    expect((await world.at(preview, '/', { headers: { host: wrong } })).status, wrong).toBe(403)

  const bare = await openPreviewWorld({ allowedHosts: ['carrel.example'] })
  const place = await bare.lease()
  const said = await bare.carrel(`/preview/${place.preview}`, { host: 'carrel.example', cookie: await bare.login() })
  expect([said.status, said.text]).toEqual([503, expect.stringContaining('to a wildcard domain')])
})

it('B1: a preview of another workspace does not exist, by name or by list', async () => {
  const world = await openPreviewWorld()
  await world.client.call('workspaces.create', { id: 'theirs' })
  const { preview } = await world.lease('theirs')
  const mine = await world.lease()
  expect(mine.preview).not.toBe(preview)
  const caller = { name: 'ada', kind: 'person', face: 'web', workspaces: ['default'] } as const
  const carrel = world.engine.carrelFor(caller)
  for (const workspace of ['default', 'theirs'])
    await expect(carrel.call('ports.get', { workspace, preview })).rejects.toMatchObject({ code: 'not_found' })
  expect(await carrel.call('ports.get', { workspace: 'default', preview: mine.preview })).toMatchObject({
    port: mine.port,
  })
  const again = (await world.client.call('ports.list', { workspace: 'default' })).ports[0]
  expect(again?.preview).toBe(mine.preview)
})
