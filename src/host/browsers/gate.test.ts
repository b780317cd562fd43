import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { browserHere } from '../../../test/support/browser-setup.ts'
import { askOwn, chromiumOf, driveAt } from '../../../test/support/gate-setup.ts'
import { noSandbox } from '../../../test/support/sandbox-setup.ts'
import { freePorts } from '../ports.ts'
import { probeContainment } from '../process/containment.ts'
import { type BrowserLaunch, findBrowsers, type RunningBrowser, resumeBrowser, startBrowser } from './browser.ts'
import { doorFor } from './door.ts'

const root = mkdtempSync(join(tmpdir(), 'carrel-gate-test-'))
const PATH = process.env.PATH ?? '/usr/bin:/bin'
const program = browserHere()
const why = await noSandbox()
const untried = why ? ` (not tried: ${why})` : ''
const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
const ground = {
  folder: join(root, 'data', 'browsers'),
  ledger: join(root, 'ledger'),
  containment: await probeContainment(PATH),
  compiled: join(root, 'compiled'),
  now: Date.now,
}
const running: RunningBrowser[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.end()))
  expect([readdirSync(ground.folder), readdirSync(ground.ledger)]).toEqual([[], []])
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const id = (prefix: string) => `${prefix}_${'0'.repeat(26)}`
let asked = 0

async function start(held = false, sandbox: BrowserLaunch['sandbox'] = null) {
  asked += 1
  const [port = 0] = await freePorts((process.pid * 13 + asked * 31) % 10_000, 1, new Set())
  const note = { workspace: 'default', session: id('ses'), run: id('run'), agent: 'scripted', port, at: 1 }
  const launch = {
    stopped: () => undefined,
    sandbox,
    enter: [],
    env: { PATH },
    graceMs: 60_000,
    signal: new AbortController().signal,
    held,
  }
  const one = await startBrowser({ ...launch, program: program ?? '', note: note as BrowserLaunch['note'] }, ground)
  running.push(one)
  return { one, url: `http://127.0.0.1:${port}` }
}

/** What pages there are, after the browser has done other things: whatever it was sent before is done by then. */
async function pages(one: RunningBrowser): Promise<string> {
  for (const n of [1, 2, 3]) await askOwn(one.own, `/json/new?about:blank%23own${n}`, 'PUT')
  return await askOwn(one.own, '/json/list')
}
const opens = { url: 'about:blank#the-agents' }

describe.skipIf(program === null)('a gate', () => {
  it('while it is held the agent waits, on old and new connections, and then all of it is done in its order', async () => {
    const { one, url } = await start()
    const agent = await driveAt(url)
    await agent.send('Browser.getVersion')
    const [hold, other] = await Promise.all([one.hold(), one.hold()])
    const opened = agent.send('Target.createTarget', opens)
    const many = Array.from({ length: 400 }, (_, n) => agent.send('Browser.getVersion', { pad: `${n}`.repeat(9_000) }))
    const fresh = fetch(`${url}/json/version`)
    expect(await pages(one)).not.toContain('the-agents')
    expect(agent.answered).toEqual([1])
    hold.release()
    hold.release()
    await hold.over
    expect(await pages(one)).not.toContain('the-agents')
    other.release()
    await Promise.all([opened, ...many])
    expect((await fresh).ok).toBe(true)
    expect(await pages(one)).toContain('the-agents')
    expect(agent.answered).toEqual(Array.from({ length: 402 }, (_, n) => n + 1))
    agent.close()
  })

  it('a server that is killed lets go by itself, and the one that comes back holds it again', async () => {
    const { one, url } = await start()
    const agent = await driveAt(url)
    one.leave()
    const [left] = await findBrowsers(ground)
    const folder = join(ground.folder, left?.keeper ?? '')
    const talk = fileURLToPath(new URL('./gate-talk.ts', import.meta.url))
    const script = `const { holdGate } = await import('${talk}'); await holdGate('${folder}'); console.log('held')`
    const server = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(server.stdout, 'data')
    const opened = agent.send('Target.createTarget', opens)
    expect(await pages(one)).not.toContain('the-agents')
    server.kill('SIGKILL')
    await opened
    const again = await resumeBrowser(left!, ground)
    running.push(again!)
    const hold = await again!.hold()
    const more = agent.send('Target.createTarget', { url: 'about:blank#once-more' })
    expect(await pages(again!)).not.toContain('once-more')
    hold.release()
    await more
    agent.close()
  })

  it('one that begins held takes nothing of its agent before it was held and let go', async () => {
    const { one, url } = await start(true)
    const version = fetch(`${url}/json/version`)
    const first = await Promise.race([version.then(() => 'agent'), pages(one).then(() => 'own')])
    expect(first).toBe('own')
    const hold = await one.hold()
    hold.release()
    expect((await version).ok).toBe(true)
  })

  it.skipIf(why !== null)(`in strict it is at the door of its conversation, and held there too${untried}`, async () => {
    const place = { path: root, root, outside: { reads: [], writes: [] } }
    const walls = { hosts: [], write: [], read: [], see: [CHECKOUT], hide: [], place, onlyReads: true }
    const { one, url } = await start(false, { ...walls, mode: 'strict' })
    await expect(fetch(`${url}/json/version`)).rejects.toThrow()
    const [door = ''] = doorFor(ground.folder, one.note, url).shows?.map(({ from }) => from) ?? []
    expect(await askOwn(join(door, 'browser'), '/json/version')).toContain('webSocketDebuggerUrl')
    const hold = await one.hold()
    const agent = askOwn(join(door, 'browser'), '/json/version')
    expect(await Promise.race([agent.then(() => 'agent'), pages(one).then(() => 'own')])).toBe('own')
    hold.release()
    expect(await agent).toContain('webSocketDebuggerUrl')
  })

  it('ends with its browser, and its browser with it; whoever held it is told', async () => {
    const { one } = await start()
    const hold = await one.hold()
    process.kill(chromiumOf(dirname(dirname(one.own))), 'SIGKILL')
    await Promise.all([hold.over, one.exited])
    await one.end()
    await expect(one.hold()).rejects.toMatchObject({ code: 'gone' })
    const { one: next } = await start()
    const [left] = await findBrowsers(ground)
    const chromium = chromiumOf(join(ground.folder, left?.keeper ?? ''))
    const gate = Number(parentOf(chromium))
    process.kill(gate, 'SIGKILL')
    await next.exited
    expect(chromiumOf(join(ground.folder, left?.keeper ?? ''))).toBe(0)
  })
})

const parentOf = (pid: number) => /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
