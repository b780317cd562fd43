/** @module-tag long */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Client, connect } from '../../src/client/client.ts'
import { openCarrel } from '../../src/index.ts'
import { eventually } from '../support/carrel-session.ts'
import { type Running, script, watch } from '../support/cli-world.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
/** A copy of the checkout: a changed source reaches no other server. */
let checkout: string
let dev: Running
/** The address of the page, and the one that logs in. */
let page: URL
let client: Client
let server: string

beforeAll(async () => {
  checkout = realpathSync(mkdtempSync(join(tmpdir(), 'carrel-dev-')))
  const whole = [
    'src',
    'scripted-agent',
    'web',
    'scripts',
    'runtime',
    'bin',
    'package.json',
    'package-lock.json',
    'tsconfig.web.json',
  ]
  for (const name of whole) cpSync(join(ROOT, name), join(checkout, name), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'))
  // A developer of Carrel may have set that agents end with their server.
  const child = spawn(process.execPath, ['scripts/dev.mjs', '--port', '0', '--page-port', '0'], {
    cwd: checkout,
    env: { ...environment(), CARREL_OUTLIVE_MS: '0', CARREL_DATABASE_URL: 'postgres://nowhere.invalid/real' },
  })
  dev = watch(child)
  const [, login = ''] = await dev.until(/^page +(http\S+)$/m)
  page = new URL(login)
  client = connect({ url: page.origin, token: page.searchParams.get('token') ?? '' })
  server = /^server +(http:\S+), process/m.exec(dev.stdout())?.[1] ?? ''
})

afterAll(async () => {
  dev.child.kill('SIGKILL')
  await dev.ended
  rmSync(checkout, { recursive: true, force: true, maxRetries: 5 })
})

async function begin(name: string): Promise<{ id: string; gate: string }> {
  const folder = join(checkout, name)
  mkdirSync(folder)
  const { project } = await client.call('spaces.create', { workspace: 'default', folder })
  const { id } = await client.call('sessions.create', { workspace: 'default', project: project.id, agent: 'scripted' })
  const content = script({ say: 'begun, ' }, { gate: 'go' }, { say: 'done' })
  await client.call('sessions.prompt', { workspace: 'default', id, content, wait: 'started' })
  return { id, gate: join(folder, 'go') }
}

const change = (text: string) => writeFileSync(join(checkout, 'src', 'main.ts'), text)

const environment = () => ({
  PATH: process.env.PATH,
  HOME: checkout,
  NODE_COMPILE_CACHE: join(checkout, 'compiled'),
})

/** Starts another `npm run dev` in the same checkout. */
const other = (...words: string[]) =>
  watch(spawn(process.execPath, ['scripts/dev.mjs', ...words], { cwd: checkout, env: environment() })).ended

/** Asks a process over its inspector which program it runs. */
async function programAt(address: string): Promise<string> {
  const socket = new WebSocket(address)
  await once(socket, 'open')
  const params = { expression: 'process.argv[1]' }
  socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params }))
  const [{ data }] = await once(socket, 'message')
  socket.close()
  return JSON.parse(data).result.result.value
}

/** Returns status and body of a request with headers that `fetch` refuses. */
const ask = (path: string, headers: Record<string, string>) =>
  new Promise<{ status: number; text: string }>((resolve, reject) => {
    request(new URL(path, page.origin), { headers }, async (answer) => {
      const text = Buffer.concat(await answer.toArray()).toString('utf8')
      resolve({ status: answer.statusCode ?? 0, text })
    })
      .once('error', reject)
      .end()
  })

it('npm run dev: the page comes with hot reload and logs in, and the server behind it is as closed as ever (B2)', async () => {
  expect(page.origin).not.toBe(server)
  const login = await fetch(page, { redirect: 'manual' })
  expect([login.status, login.headers.get('location')]).toEqual([303, '/'])
  const cookie = (login.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  expect((await ask('/', {})).text).toContain('/@vite/client')
  expect((await ask('/@vite/client', {})).status).toBe(200)
  expect((await ask('/api/v1/server', { cookie, origin: page.origin })).status).toBe(200)
  expect((await ask('/api/v1/server', { origin: page.origin })).status).toBe(401)
  expect((await ask('/api/v1/server', { cookie, origin: 'http://localhost:1' })).status).toBe(403)
  expect((await ask('/api/v1/server', { cookie, host: `evil.example:${page.port}` })).status).toBe(403)
  expect((await ask(`/@fs${checkout}/.dev/token`, {})).status).toBe(403)
})

it('npm run dev: a run continues over a wrong and a right change of a source (P5)', async () => {
  const { id, gate } = await begin('garden')
  const seen: { type: string; data: unknown }[] = []
  const stop = new AbortController()
  const following = (async () => {
    const log = { kind: 'session', workspace: 'default', session: id, after: 0 } as const
    for await (const followed of client.follow([log], stop.signal))
      if (followed.kind === 'event') seen.push(JSON.parse(followed.json))
  })()
  const source = readFileSync(join(checkout, 'src', 'main.ts'), 'utf8')
  change(`${source}const broken = = 1\n`)
  await dev.until(/SyntaxError[\s\S]*waiting for the next change/)
  expect((await ask('/api/v1/server', {})).status).toBe(503)
  change(source)
  await dev.until(/waiting for the next change[\s\S]*ready after/)
  writeFileSync(gate, '')
  await eventually('the run has ended', async () => seen.some(({ type }) => type === 'run.ended'))
  expect(seen.filter(({ type }) => type === 'run.ended')).toMatchObject([{ data: { outcome: 'completed' } }])
  expect(seen.filter(({ type }) => type === 'context.opened')).toHaveLength(1)
  stop.abort()
  await following.catch(() => undefined)
})

it('npm run dev: server, keeper and agent of a run are listed, and a debugger reaches keeper and agent at once', async (ctx) => {
  const { gate } = await begin('meadow')
  const { stdout } = await other('--pids')
  const [[, keeper = ''] = [], [, agent = ''] = []] = ['keeper', 'agent'].map(
    (kind) => new RegExp(`^ *(\\d+)  ${kind} `, 'm').exec(stdout) ?? [],
  )
  expect(stdout).toMatch(new RegExp(`^ *\\d+  server +${server}$`, 'm'))
  expect(await other('--debug', String(process.pid))).toMatchObject({
    exit: 1,
    stderr: expect.stringMatching(/is none of/),
  })
  const programs: string[] = []
  for (const pid of [keeper, agent]) {
    const opened = await other('--debug', pid)
    if (opened.stderr.includes('Port 9229 is taken'))
      ctx.skip('another debugger has port 9229, where Node opens inspectors')
    const [socket = ''] = /ws:\/\/\S+/.exec(opened.stdout) ?? []
    programs.push(await programAt(socket))
  }
  expect(programs).toEqual([
    expect.stringMatching(/keeper\/main\.ts$/),
    expect.stringMatching(/scripted-agent\/main\.ts$/),
  ])
  writeFileSync(gate, '')
})

it('npm run dev: a port or a folder in use is refused with a message', async () => {
  const port = new URL(server).port
  const [taken, used] = await Promise.all([other('--port', port), other('--port', '0', '--page-port', '0')])
  expect(taken).toMatchObject({
    exit: 1,
    stderr: `Port ${port} is taken. Choose another with --port, or --port 0 for a free one.\n`,
  })
  expect(used).toMatchObject({
    exit: 1,
    stderr: expect.stringMatching(/^carrel: Carrel already uses the data folder .*\n$/),
  })
  expect(used.stdout).not.toContain('waiting for the next change')
})

it('npm run dev: its end leaves an agent running, and says so', async () => {
  const { id, gate } = await begin('orchard')
  dev.child.kill('SIGINT')
  expect(await dev.ended).toMatchObject({ exit: 0, stdout: expect.stringMatching(/1 agent goes on/) })
  const data = join(checkout, '.dev')
  expect(readdirSync(join(data, 'keepers'))).toHaveLength(1)
  writeFileSync(gate, '')
  const carrel = await openCarrel({ dataFolder: data })
  const outcome = async () => (await carrel.call('sessions.get', { workspace: 'default', id })).lastRun?.outcome
  await eventually('the run is completed', async () => (await outcome()) === 'completed')
  await carrel.close()
  expect(readdirSync(join(data, 'keepers'))).toEqual([])
})
