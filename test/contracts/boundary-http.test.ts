import { connect as dial } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { connect } from '../../src/client/client.ts'
import { ask, type HttpWorld, openHttpWorld } from '../support/http-world.ts'

const GUEST = 'https://notes.example'
const MAX_BODY = 33_554_432
let world: HttpWorld
let now = 1_900_000_000_000
beforeEach(async () => {
  world = await openHttpWorld(
    { allowedHosts: ['carrel.example', 'proxy.example:8443'], allowedOrigins: [GUEST] },
    { now: () => now },
  )
})
afterEach(() => world.close())

const bearer = () => ({ authorization: `Bearer ${world.engine.token}` })
const get = (path: string, headers: Record<string, string> = {}) => ask(world.server.port, path, { headers })
const post = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  ask(world.server.port, path, {
    method: 'POST',
    body,
    headers: { ...bearer(), 'content-type': 'application/json', ...headers },
  })
const codeOf = (answer: { json: () => { error?: { code: string } } }) => answer.json().error?.code

it('B2: without the token an answer reveals nothing, on any path of the API', async () => {
  for (const path of ['/api/v1/workspaces', '/api/v1/nothing', '/api/v1/follow?w=default', '/api/v1']) {
    const answer = await get(path)
    expect([path, answer.status, codeOf(answer)]).toEqual([path, 401, 'unauthenticated'])
  }
  for (const authorization of [
    'Bearer wrong',
    `Basic ${world.engine.token}`,
    'Bearer',
    `Bearer ${world.engine.token}x`,
  ]) {
    expect((await get('/api/v1/workspaces', { authorization })).status, authorization).toBe(401)
  }
  expect((await get(`/api/v1/workspaces?token=${world.engine.token}`)).status).toBe(401)
  expect((await get('/api/v1/workspaces', { 'x-carrel-face': 'cli' })).status).toBe(401)
  expect((await get('/api/v1/workspaces', bearer())).status).toBe(200)
})

it('B2: a foreign Host is refused before anything else, even with the right token', async () => {
  const { port } = world.server
  const foreign = [
    `evil.example:${port}`,
    'evil.example',
    `127.0.0.1.evil.example:${port}`,
    `localhost.evil.example:${port}`,
    `evil.localhost:${port}`,
    `0.0.0.0:${port}`,
    `127.0.0.1:${port + 1}`,
    '127.0.0.1',
    `carrel.example:${port + 1}`,
    'proxy.example',
    `localhost:${port}.evil.example`,
    `user@localhost:${port}`,
  ]
  for (const host of foreign) {
    for (const path of [
      '/api/v1/workspaces',
      '/',
      `/login?token=${world.engine.token}`,
      '/api/v1/follow?w=default',
      '/%zz',
    ]) {
      const answer = await get(path, { ...bearer(), host })
      expect([host, path, answer.status, codeOf(answer)]).toEqual([host, path, 403, 'forbidden'])
      expect(answer.json().error?.message).toContain('Host not allowed')
      expect(answer.headers['set-cookie']).toBeUndefined()
    }
  }
  const ours = [`localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`, 'carrel.example', 'proxy.example:8443']
  for (const host of ours) expect((await get('/api/v1/workspaces', { ...bearer(), host })).status, host).toBe(200)
})

it('B2: another site may not call, whatever cookie or token its request carries', async () => {
  const { port } = world.server
  const foreign = ['https://evil.example', 'null', `http://localhost:${port}.evil.example`, `http://localhost:${port}`]
  for (const origin of foreign) {
    const answer = await get('/api/v1/workspaces', { ...bearer(), origin })
    expect([origin, answer.status, codeOf(answer)]).toEqual([origin, 403, 'forbidden'])
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
    expect((await post('/api/v1/workspaces', '{"id":"stolen"}', { origin })).status).toBe(403)
    const before = await ask(port, '/api/v1/workspaces', { method: 'OPTIONS', headers: { origin } })
    expect([origin, before.status, before.headers['access-control-allow-methods']]).toEqual([origin, 403, undefined])
  }
  const own = await get('/api/v1/workspaces', { ...bearer(), origin: `http://127.0.0.1:${port}` })
  expect([own.status, own.headers['access-control-allow-origin']]).toEqual([200, undefined])
})

it('B2: an origin that the owner allowed may call, with the token', async () => {
  const { port } = world.server
  const before = await ask(port, '/api/v1/workspaces', { method: 'OPTIONS', headers: { origin: GUEST } })
  expect([before.status, before.headers['access-control-allow-origin']]).toEqual([204, GUEST])
  const answer = await get('/api/v1/workspaces', { ...bearer(), origin: GUEST })
  expect([answer.status, answer.headers['access-control-allow-origin'], answer.headers.vary]).toEqual([
    200,
    GUEST,
    'Origin',
  ])
  expect(answer.headers['access-control-allow-credentials']).toBeUndefined()
  expect((await get('/api/v1/workspaces', { origin: GUEST })).status).toBe(401)
})

it('B2: every answer carries the headers that keep other pages out', async () => {
  for (const path of ['/api/v1/workspaces', '/login', '/nothing', `/api/v1/follow?w=default`]) {
    const { headers } = path.includes('follow') ? await headOf(path) : await get(path, bearer())
    expect(headers['x-content-type-options'], path).toBe('nosniff')
    expect(headers['content-security-policy'], path).toMatch(/script-src 'self';.*frame-ancestors 'none'/)
    expect(headers['referrer-policy'], path).toBe(path === '/login' ? 'same-origin' : 'no-referrer')
    if (path.startsWith('/api/v1')) expect(headers['cache-control'], path).toContain('no-store')
  }
})

async function headOf(path: string) {
  const stop = new AbortController()
  const response = await fetch(`${world.server.url}${path}`, { headers: bearer(), signal: stop.signal })
  const headers = Object.fromEntries(response.headers)
  stop.abort()
  return { headers }
}

it('bad input: a body that is not JSON, not an object or of no known shape is `bad_input`, with a message', async () => {
  const cases: [string, string, Record<string, string>?][] = [
    ['{"id":', 'well-formed JSON'],
    ['["id"]', 'JSON object'],
    ['"id"', 'JSON object'],
    ['null', 'JSON object'],
    ['{"id":7}', ''],
    ['{"id":"../default"}', ''],
    ['{"__proto__":{"id":"x"}}', ''],
    ['{}', ''],
    ['', ''],
    ['id=x', 'content-type: application/json', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['{"id":"x"}', 'content-type: application/json', { 'content-type': 'text/plain' }],
  ]
  for (const [body, words, headers] of cases) {
    const answer = await post('/api/v1/workspaces', body, headers)
    expect([body, answer.status, codeOf(answer)]).toEqual([body, 400, 'bad_input'])
    expect(answer.json().error?.message).toContain(words)
  }
  expect((await world.client.call('workspaces.list', {})).workspaces.map(({ id }) => id)).toEqual(['default'])
})

it('bad input: a body of 33 MiB is `too_large`, in an answer that its sender can read, and nothing breaks', async () => {
  const answer = await post('/api/v1/workspaces', Buffer.alloc(34_603_008, ' '))
  expect([answer.status, codeOf(answer)]).toEqual([413, 'too_large'])
  const client = connect({ url: world.server.url, token: world.engine.token })
  const name = 'x'.repeat(MAX_BODY)
  await expect(client.call('workspaces.create', { id: 'big', name })).rejects.toMatchObject({ code: 'too_large' })
  const nobody = await ask(world.server.port, '/api/v1/workspaces', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  expect(nobody.status).toBe(401)
  expect((await get('/api/v1/workspaces', bearer())).status).toBe(200)
})

it('bad input: ids that are unknown, malformed or climb are refused in our own shape', async () => {
  const unknown = `ses_${'0'.repeat(26)}`
  const cases: [string, number, string][] = [
    [`/api/v1/workspaces/default/sessions/${unknown}`, 404, 'not_found'],
    [`/api/v1/workspaces/elsewhere/sessions/${unknown}`, 404, 'not_found'],
    ['/api/v1/workspaces/default/sessions/nope', 400, 'bad_input'],
    ['/api/v1/workspaces/../spaces', 400, 'bad_input'],
    ['/api/v1/workspaces/../server', 404, 'not_found'],
    ['/api/v1/workspaces/..%2f..%2fetc', 400, 'bad_input'],
    ['/api/v1/workspaces/%2e%2e/sessions', 400, 'bad_input'],
    [`/api/v1/workspaces/${'x'.repeat(200)}`, 400, 'bad_input'],
    ['/api/v1/workspaces/default/sessions?limit=many', 400, 'bad_input'],
    ['/api/v1/workspaces/default/sessions?limit=1&limit=2', 400, 'bad_input'],
    ['/api/v1/workspaces/%zz', 400, 'bad_input'],
    ['/api/v1/nothing', 404, 'not_found'],
    ['/api/v1/workspaces/default/', 404, 'not_found'],
    ['/api/v1/follow', 400, 'bad_input'],
    ['/api/v1/follow?w=default&w=other', 400, 'bad_input'],
    ['/api/v1/follow?w=default:-1', 400, 'bad_input'],
    ['/api/v1/follow?w=default:1:2', 400, 'bad_input'],
    ['/api/v1/follow?s=nope', 400, 'bad_input'],
    [`/api/v1/follow?s=${unknown}&s=${unknown}`, 400, 'bad_input'],
    [`/api/v1/follow?s=${unknown}`, 404, 'not_found'],
    [
      `/api/v1/follow?${Array.from({ length: 65 }, (_, n) => `s=ses_${String(n).padStart(26, '0')}`).join('&')}`,
      400,
      'bad_input',
    ],
    [`/api/v1/workspaces/default/sessions/${unknown}/follow?after=x`, 400, 'bad_input'],
  ]
  for (const [path, status, code] of cases) {
    const answer = await get(path, bearer())
    expect([path, answer.status, codeOf(answer)]).toEqual([path, status, code])
  }
  const stale = await get('/api/v1/follow?w=default', { ...bearer(), 'last-event-id': 'yesterday' })
  expect([stale.status, codeOf(stale)]).toEqual([400, 'bad_input'])
})

it('bad input: a field or query parameter that no operation knows is refused with the nearest known one', async () => {
  const workspace = '/api/v1/workspaces/default'
  const run = `run_${'0'.repeat(26)}`
  const cases: [string, Record<string, unknown> | null, string, string][] = [
    [`${workspace}/spaces`, { fodler: '/x' }, 'fodler', 'folder'],
    [`${workspace}/spaces?fodler=x`, {}, 'fodler', 'folder'],
    [`${workspace}/sessions?limt=3`, null, 'limt', 'limit'],
    ['/api/v1/follow?w=default&workspce=default', null, 'workspce', 'workspace'],
    [`${workspace}/runs/${run}/browser/live?worksapce=x`, null, 'worksapce', 'workspace'],
    [`${workspace}/environment`, { settings: { prots: [] } }, 'settings.prots', 'ports'],
  ]
  for (const [path, body, field, nearest] of cases) {
    const answer = await (body === null ? get(path, bearer()) : post(path, JSON.stringify(body)))
    expect([path, answer.status, codeOf(answer)]).toEqual([path, 400, 'bad_input'])
    expect(answer.json(), path).toMatchObject({ error: { data: { problems: [{ field, nearest }] } } })
  }
  const twice = await get(`${workspace}/sessions?workspace=other`, bearer())
  expect([twice.status, codeOf(twice)]).toEqual([400, 'bad_input'])
  expect(twice.json()).toMatchObject({ error: { data: { problems: [{ field: 'workspace' }] } } })
})

it('bad input: bytes that are not HTTP get an answer and the connection is closed', async () => {
  const answer = await new Promise<string>((resolve) => {
    const socket = dial(world.server.port, '127.0.0.1')
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('close', () => resolve(text))
    socket.write('\u0016\u0003\u0001 hello?\r\n\r\n')
  })
  expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '').error.code).toBe('bad_input')
})

it('B2: the printed address logs a browser in, by a cookie that is not the token', async () => {
  const { port, loginUrl } = world.server
  const login = await get(loginUrl.slice(world.server.url.length))
  expect([login.status, login.headers.location]).toEqual([303, '/'])
  const [cookie = ''] = login.headers['set-cookie'] ?? []
  expect(cookie).toMatch(/; HttpOnly/)
  expect(cookie).toMatch(/; SameSite=Strict/)
  expect(cookie).toMatch(/; Max-Age=2592000/)
  expect(cookie).not.toContain(world.engine.token)
  expect(cookie).not.toMatch(/; Secure/)
  const [pair = ''] = cookie.split(';')
  expect((await get('/api/v1/workspaces', { cookie: pair })).status).toBe(200)
  expect((await get('/api/v1/workspaces', { cookie: `${pair}x` })).status).toBe(401)
  expect((await get('/api/v1/workspaces', { cookie: pair.replace(/=\d+/, '=9999999999999') })).status).toBe(401)
  now += 31 * 24 * 3_600_000
  expect((await get('/api/v1/workspaces', { cookie: pair })).status).toBe(401)
  const out = await ask(port, '/logout', { method: 'POST', headers: { cookie: pair } })
  expect([out.status, String(out.headers['set-cookie'])]).toEqual([
    204,
    expect.stringMatching(/carrel_\d+=;.*Expires=Thu, 01 Jan 1970/),
  ])
})

it('B2: behind TLS the cookie is for TLS only', async () => {
  const { headers } = await get(`/login?token=${world.engine.token}`, {
    host: 'carrel.example',
    'x-forwarded-proto': 'https',
  })
  expect(String(headers['set-cookie'])).toMatch(/; Secure/)
})

it('B2: a login redirects to no other site', async () => {
  const goes = async (next: string) =>
    (await get(`/login?token=${world.engine.token}&next=${encodeURIComponent(next)}`)).headers.location
  expect(await goes('/s/abc?tab=2')).toBe('/s/abc?tab=2')
  for (const next of [
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    '/\t/evil.example',
    '/a\r\nset-cookie: x=1',
  ]) {
    expect(await goes(next), next).toBe('/')
  }
})

it('B2: a wrong token gets a page with instructions, many wrong ones are slowed down, the right one never is', async () => {
  const wrong = await get('/login?token=guess')
  expect([wrong.status, wrong.headers['set-cookie']]).toEqual([401, undefined])
  expect(wrong.text).toContain('carrel open')
  expect(wrong.text).not.toContain('guess')
  const statuses = []
  for (let n = 0; n < 12; n += 1) statuses.push((await get(`/login?token=guess${n}`)).status)
  expect(statuses.at(-1)).toBe(429)
  expect((await get(`/login?token=${world.engine.token}`)).status).toBe(303)
  now += 61_000
  expect((await get('/login?token=guess')).status).toBe(401)
})

it('B2: the plain page logs in by a form, which only our own page may send', async () => {
  const page = await get('/login')
  expect(page.status).toBe(200)
  expect(page.text).toContain('<form method="post" action="/login">')
  const form = (origin: string) =>
    ask(world.server.port, '/login', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin },
      body: `token=${world.engine.token}`,
    })
  expect((await form(world.server.url)).status).toBe(303)
  expect((await form('https://evil.example')).status).toBe(403)
})
