import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { RunId } from '../../src/model/ids.ts'
import type { Environment } from '../../src/model/settings/environment.ts'
import { killAgents, startServer } from '../support/carrel-server.ts'
import { appears, type TestSession } from '../support/carrel-session.ts'
import { makeTestFolder, openWorld } from '../support/carrel-world.ts'
import { noSandbox } from '../support/sandbox-setup.ts'

const why = await noSandbox()
const untried = why ? ` (not tried: ${why})` : ''

const keep = ({ carrel, workspace, space }: TestSession, settings: Environment) =>
  carrel.call('environment.set', { workspace, space: space.id, settings })
const said = async (session: TestSession) => JSON.stringify(await session.items())
const HELLO = [{ say: 'hello' }]
const notices = async (session: TestSession) => (await session.eventsOf('notice.given')).map(({ data }) => data.text)

/** Opens a remote site that counts its requests. */
async function origin(host: string) {
  let came = 0
  const server = createServer((_incoming, answer) => {
    came += 1
    answer.end(`reached ${came}`)
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  onTestFinished(() => void server.close())
  return { name: `${host}:${(server.address() as AddressInfo).port}`, came: () => came }
}
const fetching = (name: string) =>
  `${process.execPath} -e 'fetch("http://${name}").then(async (r) => console.log(r.status, await r.text()), (e) => console.log(e.cause?.code))'`

describe.skipIf(why !== null)(`a Space with a sandbox${untried}`, () => {
  it('guard: the agent works in its place, is stopped everywhere else with a message, and people see its sandbox', async () => {
    const world = await openWorld()
    const session = await world.session()
    await keep(session, { sandbox: 'guard' })
    const secret = join(world.home, '.ssh/id_rsa')
    mkdirSync(join(world.home, '.ssh'))
    writeFileSync(secret, 'PRIVATE KEY')
    const beside = world.work('beside')
    const ended = await session.run([
      { write: 'made.txt', content: 'made', ask: false },
      { run: `echo x > ${beside}/x; echo x > /usr/x` },
      { run: `cat ${secret}` },
      { run: `cat ${secret}`, via: 'client' },
      { run: `cat ${world.dataFolder}/token` },
      { write: '/usr/carrel-was-here', content: 'x', ask: false },
    ])
    expect(ended).toMatchObject({ outcome: 'completed' })
    expect(readFileSync(session.path('made.txt'), 'utf8')).toBe('made')
    expect([existsSync(join(beside, 'x')), existsSync('/usr/carrel-was-here')]).toEqual([false, false])
    const words = await said(session)
    expect(words).not.toContain('PRIVATE KEY')
    expect(words).not.toContain(readFileSync(join(world.dataFolder, 'token'), 'utf8').trim())
    for (const told of ['Permission denied', 'Read-only file system', 'EROFS']) expect(words).toContain(told)
    expect(await given(session, ended)).toMatchObject({
      sandbox: 'guard',
      containment: 'bubblewrap',
      temporary: '/tmp',
    })
  })

  it('strict: an allowed host is reached, another is not, and the session names it', async () => {
    const [allowed, other] = [await origin('127.0.0.2'), await origin('127.0.0.3')]
    const world = await openWorld()
    const session = await world.session()
    await keep(session, { sandbox: 'strict', hosts: [allowed.name] })
    const ended = await session.run([
      { run: fetching(allowed.name) },
      { run: fetching(other.name) },
      { run: fetching(other.name), via: 'client' },
    ])
    const words = await said(session)
    expect(words).toContain('200 reached 1')
    expect(words).toContain(`403 The sandbox blocks connections to ${other.name}`)
    expect(other.came()).toBe(0)
    expect(await notices(session)).toEqual([expect.stringContaining(`blocked a connection to ${other.name}`)])
    expect(await given(session, ended)).toMatchObject({ sandbox: 'strict', hosts: [allowed.name] })
  })

  it('a process of one sandbox never serves a run with another', async () => {
    const [allowed, world] = [await origin('127.0.0.2'), await openWorld()]
    const session = await world.session()
    const pids = new Set<number>()
    const settings: Environment[] = [
      { sandbox: 'off' },
      { sandbox: 'guard' },
      { sandbox: 'strict' },
      { hosts: [allowed.name] },
    ]
    for (const each of settings) {
      await keep(session, each)
      pids.add((await given(session, await session.run(HELLO))).pid)
    }
    expect(pids.size).toBe(4)
    const beside = await world.session()
    await keep(beside, { sandbox: 'guard' })
    expect(pids).not.toContain((await given(beside, await beside.run(HELLO))).pid)
  })

  it('P5: a strict agent outlives its server with its network access, and the next server learns what was stopped', async () => {
    const [allowed, other] = [await origin('127.0.0.2'), await origin('127.0.0.3')]
    const testFolder = makeTestFolder()
    onTestFinished(() => killAgents(testFolder))
    const first = await startServer(testFolder, { outliveMs: 120_000 })
    const session = await first.session()
    await keep(session, { sandbox: 'strict', hosts: [allowed.name] })
    const steps = [
      { write: 'begun', content: '', ask: false },
      { gate: 'go' },
      { run: fetching(allowed.name) },
      { gate: 'on' },
      { run: fetching(allowed.name), via: 'client' },
      { run: fetching(other.name) },
    ]
    const { prompt } = await session.prompt(steps)
    await appears(session.path('begun'))
    await first.kill()
    session.open('go')
    await vi.waitUntil(() => allowed.came() === 1, 60_000)
    const next = session.through((await startServer(testFolder, { outliveMs: 120_000 })).carrel)
    next.open('on')
    expect((await next.endOf(prompt)).data).toMatchObject({ outcome: 'completed', error: null })
    const words = await said(next)
    for (const answer of ['200 reached 1', '200 reached 2', '403 The sandbox']) expect(words).toContain(answer)
    expect(await notices(next)).toEqual([expect.stringContaining(`blocked a connection to ${other.name}`)])
  })
})

it('F8: where the machine cannot make the sandbox the run fails with instructions to install it, and nothing starts', async () => {
  const testFolder = makeTestFolder({ PATH: pathWithout('bwrap') })
  const world = await openWorld({}, {}, testFolder)
  const session = await world.session()
  for (const sandbox of ['guard', 'strict'] as const) {
    await keep(session, { sandbox })
    const { outcome, error } = await session.run([{ write: 'made', content: '', ask: false }])
    expect(outcome).toBe('failed')
    expect(error?.next).toContain('apt install bubblewrap')
    expect(error?.message).toMatch(new RegExp(`sandbox ${sandbox}.*apt install bubblewrap`))
  }
  expect(existsSync(session.path('made'))).toBe(false)
  const { findings } = await session.carrel.call('server.doctor', {})
  expect(findings.find(({ name }) => name === 'Sandbox')).toMatchObject({
    state: 'limited',
    next: expect.stringContaining('bubblewrap'),
  })
  await keep(session, { sandbox: 'off' })
  expect(await session.run(HELLO)).toMatchObject({ outcome: 'completed' })
})

/** Returns the sandbox of a run as people see it. The run does not wait for the write of this file. */
async function given({ carrel, workspace }: TestSession, { run }: { run: RunId }) {
  return await vi.waitUntil(() => carrel.call('runs.environment', { workspace, id: run }).catch(() => null), 60_000)
}

/** Returns a PATH with every program of this machine except one. */
function pathWithout(program: string): string {
  const folder = join(makeTestFolder().root, 'bin')
  mkdirSync(folder)
  for (const from of (process.env.PATH ?? '').split(delimiter))
    for (const name of existsSync(from) ? readdirSync(from) : [])
      if (name !== program && !existsSync(join(folder, name))) symlinkSync(join(from, name), join(folder, name))
  return folder
}
