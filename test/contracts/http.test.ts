import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect as dial } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { connect } from '../../src/client/client.ts'
import { serveHttp } from '../../src/faces/http/http.ts'
import type { Bell } from '../../src/store/bell.ts'
import { ask, type HttpWorld, openHttpWorld } from '../support/http-world.ts'

let world: HttpWorld | null = null
const folders: string[] = []
afterEach(async () => {
  await world?.close()
  world = null
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

it('the client over HTTP answers as the engine in process does', async () => {
  world = await openHttpWorld()
  const { client, engine } = world
  const inside = engine.carrelFor({ name: 'owner', kind: 'person', face: 'library', workspaces: null })
  await client.call('workspaces.create', { id: 'Second', name: 'Two' })
  const { space, project } = await client.call('spaces.create', { workspace: 'second', name: 'Notes & more' })
  const session = await client.call('sessions.create', { workspace: 'second', project: project.id, agent: 'scripted' })
  const at = { workspace: 'second', id: session.id }
  const renamed = await client.call('sessions.rename', { ...at, name: '  Ünïcode / ?&#  ' })
  expect(renamed.name).toBe('Ünïcode / ?&#')
  expect(await client.call('sessions.get', at)).toEqual(await inside.call('sessions.get', at))
  expect(await client.call('spaces.list', { workspace: 'second' })).toEqual({ spaces: [space] })
  const found = await client.call('sessions.list', { workspace: 'second', text: '?&#', limit: 5 })
  expect(found).toEqual(await inside.call('sessions.list', { workspace: 'second', text: '?&#', limit: 5 }))
  expect(found.sessions).toHaveLength(1)
  expect(await client.call('sessions.view', at)).toEqual(await inside.call('sessions.view', at))
  const preview = await client.call('sessions.delete', at)
  expect([preview.deleted, preview.preview.sessions]).toEqual([false, 1])
  expect((await client.call('sessions.delete', { ...at, confirm: true })).deleted).toBe(true)
  await expect(client.call('sessions.get', at)).rejects.toMatchObject({ code: 'not_found' })
})

it('a request that arrives while the server stops is refused with a code', async () => {
  world = await openHttpWorld()
  const { server, engine } = world
  const head = `host: 127.0.0.1:${server.port}\r\nauthorization: Bearer ${engine.token}\r\n`
  const socket = dial(server.port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk
  })
  const post = `POST /api/v1/workspaces HTTP/1.1\r\n${head}content-type: application/json\r\ncontent-length: 2\r\n\r\n{`
  await new Promise<void>((resolve) => socket.write(post, () => resolve()))
  await ask(server.port, '/api/v1/server', { headers: { authorization: `Bearer ${engine.token}` } })
  const closed = server.close()
  await vi.waitFor(() => expect(ask(server.port, '/')).rejects.toThrow())
  socket.write(`}GET /api/v1/server HTTP/1.1\r\n${head}\r\n`)
  await once(socket, 'close')
  await closed
  const last = text.slice(text.lastIndexOf('HTTP/1.1 '))
  expect(last).toMatch(/^HTTP\/1.1 503 /)
  expect(JSON.parse(last.slice(last.indexOf('\r\n\r\n')))).toMatchObject({ error: { code: 'unavailable' } })
})

it('an old path, operation or field is refused with its new name', async () => {
  world = await openHttpWorld()
  const { client, engine, server } = world
  const { space } = await client.call('spaces.create', { workspace: 'default', name: 'Notes' })
  for (const [old, now] of [
    ['/api/server', '/api/v1/server'],
    ['/api/v1/workspaces/default/surroundings', '/api/v1/workspaces/default/environment'],
    [`/api/workspaces/default/spaces/${space.id}/files`, `/api/v1/workspaces/default/spaces/${space.id}/file-rules`],
  ] as const) {
    const { status, text } = await ask(server.port, old, { headers: { authorization: `Bearer ${engine.token}` } })
    expect([status, text]).toEqual([404, expect.stringContaining(`The path is ${now} now.`)])
  }
  const inside = engine.carrelFor({ name: 'owner', kind: 'person', face: 'library', workspaces: null })
  await expect(inside.call('surroundings.get' as never, {} as never)).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining('it is environment.get now'),
  })
  const rules = { contention: [] } as never
  await expect(client.call('fileRules.set', { workspace: 'default', id: space.id, rules })).rejects.toMatchObject({
    code: 'bad_input',
    message: '`rules.contention` is called `rules.paths` now.',
  })
})

it('B1: things of one workspace do not exist in another', async () => {
  world = await openHttpWorld()
  const { client } = world
  const id = await world.newSession()
  await client.call('workspaces.create', { id: 'other' })
  for (const call of [
    () => client.call('sessions.get', { workspace: 'other', id }),
    () => client.call('sessions.events', { workspace: 'other', id }),
    () => client.call('sessions.configure', { workspace: 'other', id, mode: 'x' }),
    () => client.call('sessions.delete', { workspace: 'other', id, confirm: true }),
  ]) {
    await expect(call()).rejects.toMatchObject({ code: 'not_found' })
  }
  const headers = { authorization: `Bearer ${world.engine.token}` }
  for (const path of [`/api/v1/follow?workspace=other&s=${id}`, `/api/v1/workspaces/other/sessions/${id}/follow`]) {
    expect((await ask(world.server.port, path, { headers })).status, path).toBe(404)
  }
})

it('a log names the face of a request by its credentials, not by its claim', async () => {
  world = await openHttpWorld()
  const { server, engine } = world
  const id = await world.newSession()
  const login = await ask(server.port, `/login?token=${engine.token}`)
  const [cookie = ''] = String(login.headers['set-cookie']).split(';')
  const configure = async (headers: Record<string, string>) => {
    const path = `/api/v1/workspaces/default/sessions/${id}/config`
    const options = {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: '{"mode":"m"}',
    }
    expect((await ask(server.port, path, options)).status).toBe(200)
  }
  await connect({ url: server.url, token: engine.token, face: 'cli' }).call('sessions.configure', {
    workspace: 'default',
    id,
    mode: 'm',
  })
  await configure({ authorization: `Bearer ${engine.token}` })
  await configure({ cookie, 'x-carrel-face': 'cli' })
  const { events } = await world.client.call('sessions.events', { workspace: 'default', id })
  const faces = events.map((event) => (event.data as { by: { face: string } }).by.face)
  expect(faces).toEqual(['cli', 'api', 'web'])
})

it('L2: a wait that takes several requests is one prompt', async () => {
  world = await openHttpWorld()
  const id = await world.newSession()
  const asked: string[] = []
  // Each answer takes 40 ms by the client's clock, however long it took here.
  const client = connect({
    url: world.server.url,
    token: world.engine.token,
    timing: { longestAnswerMs: 40, now: () => asked.length * 40 },
    fetch: (input, init) => {
      asked.push(String(input))
      return fetch(input, init)
    },
  })
  const input = { workspace: 'default', id, content: 'hello', agent: 'scripted', timeoutMs: 400 } as const
  const answer = await client.call('sessions.prompt', { ...input, wait: 'ended' })
  expect(answer).toMatchObject({ state: 'accepted', repeated: false })
  expect(asked).toHaveLength(10)
  const { events } = await client.call('sessions.events', { workspace: 'default', id })
  expect(events.map(({ type }) => type)).toEqual(['prompt.requested'])
})

it('L2: a caller that waits in pieces gets the whole answer of the run', async () => {
  world = await openHttpWorld({ runsAtOnce: 2 })
  const id = await world.newSession()
  const client = connect({ url: world.server.url, token: world.engine.token, timing: { longestAnswerMs: 150 } })
  const content = `@@do ${JSON.stringify([{ sleep: 600 }, { say: 'Slept well.' }])} @@end`
  const input = { workspace: 'default', id, content, agent: 'scripted', wait: 'ended' } as const
  const answer = await client.call('sessions.prompt', input)
  expect(answer).toMatchObject({ state: 'ended', outcome: 'completed' })
  expect(answer.text).toBe('Slept well.')
  const { events } = await client.call('sessions.events', { workspace: 'default', id })
  expect(events.filter(({ type }) => type === 'prompt.requested')).toHaveLength(1)
})

it('the API description is served without a login, and names the cookie of this server', async () => {
  world = await openHttpWorld()
  const { port } = world.server
  const answer = await ask(port, '/api/v1/openapi.json')
  expect(answer.json()).toMatchObject({
    openapi: '3.1.1',
    info: { version: 'test' },
    components: { securitySchemes: { cookie: { name: `carrel_${port}` } } },
  })
  expect((await ask(port, '/api/v1/server')).status).toBe(401)
})

it('the page: files are cached for ever, its start is always revalidated, its views are the same page, anything else is 404', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'carrel-page-'))
  folders.push(folder)
  await mkdir(join(folder, 'assets'))
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>Carrel</title>')
  await writeFile(join(folder, 'assets', 'main-D3adBeef.js'), 'export {}')
  await writeFile(join(folder, 'icon.svg'), '<svg/>')
  await writeFile(join(folder, '..', 'carrel-secret.txt'), 'secret').then(() =>
    folders.push(join(folder, '..', 'carrel-secret.txt')),
  )
  world = await openHttpWorld({}, { webFolder: folder })
  const get = (path: string) => ask((world as HttpWorld).server.port, path)
  for (const path of ['/', '/inbox', '/s/ses_1?x=1', '/index.html']) {
    const answer = await get(path)
    expect([path, answer.status, answer.headers['cache-control']]).toEqual([path, 200, 'no-cache'])
    expect(answer.text).toContain('<title>Carrel</title>')
  }
  const script = await get('/assets/main-D3adBeef.js')
  expect([script.status, script.headers['cache-control']]).toEqual([200, 'public, max-age=31536000, immutable'])
  expect(String(script.headers['content-type'])).toContain('javascript')
  expect((await get('/icon.svg')).headers['cache-control']).toBe('no-cache')
  expect((await get('/assets/gone-D3adBeef.js')).status).toBe(404)
  for (const path of ['/../carrel-secret.txt', '/..%2fcarrel-secret.txt', '/assets/..%2f..%2fcarrel-secret.txt']) {
    const answer = await get(path)
    expect(answer.text, path).not.toBe('secret')
    expect(answer.status, path).toBeGreaterThanOrEqual(400)
  }
  for (const path of ['/mcp', '/w/default/s/ses_1', '/s/', '/.well-known/oauth', '/inbox/more']) {
    const answer = await get(path)
    expect([path, answer.status, answer.json().error?.code]).toEqual([path, 404, 'not_found'])
    const shown = await ask(world.server.port, path, { headers: { accept: 'text/html,*/*;q=0.8' } })
    expect([path, shown.status]).toEqual([path, 404])
    expect(shown.text, path).toMatch(/There is nothing (here|at this address)/)
    expect(shown.text, path).not.toContain('<title>Carrel</title>')
  }
  expect((await get('/api/v1/w/default')).status).toBe(401)
})

it('a page that was never built answers with instructions to build it', async () => {
  world = await openHttpWorld({}, { webFolder: join(tmpdir(), 'carrel-no-such-page') })
  const answer = await ask(world.server.port, '/')
  expect(answer.status).toBe(503)
  expect(answer.text).toContain('npm run build')
})

it('a port in use is an error with a message', async () => {
  world = await openHttpWorld()
  const { port } = world.server
  await expect(
    serveHttp(world.engine, { host: '127.0.0.1', port, version: 'test', webFolder: null }),
  ).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining(`Port ${port} is taken`) })
})

it('a stream resumes by Last-Event-ID alone, one session by a plain number', async () => {
  world = await openHttpWorld()
  const id = await world.newSession()
  await world.grow(id, 4)
  const ids = async (path: string, last: string, logs: number) => {
    const { server, engine } = world as HttpWorld
    const stop = new AbortController()
    const headers = { authorization: `Bearer ${engine.token}`, 'last-event-id': last }
    const response = await fetch(`${server.url}${path}`, { headers, signal: stop.signal })
    let text = ''
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString()
      if (text.split('event: caught-up').length > logs) break
    }
    stop.abort()
    return [...text.matchAll(/^id: (.*)\nevent: session$/gm)].map(([, each]) => each)
  }
  const one = `/api/v1/workspaces/default/sessions/${id}/follow`
  expect(await ids(one, '', 1)).toEqual(['1', '2', '3', '4'])
  expect(await ids(`${one}?after=1`, '3', 1)).toEqual(['4'])
  const { seq } = await world.client.call('workspaces.get', { workspace: 'default' })
  const page = `/api/v1/follow?w=default:1&s=${id}:1`
  expect(await ids(page, `w.${seq}~${id}.2`, 2)).toEqual([`w.${seq}~${id}.3`, `w.${seq}~${id}.4`])
  expect(await ids(page, `w.${seq}~${id}.end`, 1)).toEqual([])
})

it('L8: a caller that hangs up during a long wait leaves no follower behind, and its prompt stays', async () => {
  const followers = new Set<object>()
  const bell = (real: Bell): Bell => ({
    ...real,
    listen(log, listener) {
      const follower = {}
      const stop = real.listen(log, listener)
      if (log !== null) followers.add(follower)
      return () => {
        followers.delete(follower)
        stop()
      }
    },
  })
  world = await openHttpWorld({}, { overrides: { bell } })
  const id = await world.newSession()
  const gone = new AbortController()
  const waiting = world.client.call(
    'sessions.prompt',
    { workspace: 'default', id, content: 'x', wait: 'ended' },
    gone.signal,
  )
  const refused = expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
  await vi.waitFor(() => expect(followers.size).toBe(1), 60_000)
  gone.abort()
  await refused
  await vi.waitFor(() => expect(followers.size).toBe(0), 60_000)
  expect(await world.client.call('sessions.get', { workspace: 'default', id })).toMatchObject({ queued: 1 })
})

it('a stream of ended logs says so in the way that stops a browser', async () => {
  world = await openHttpWorld()
  const headers = { authorization: `Bearer ${world.engine.token}`, 'last-event-id': 'w.end' }
  expect((await ask(world.server.port, '/api/v1/follow?w=default', { headers })).status).toBe(204)
})
