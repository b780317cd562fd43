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
import { type BrowserLaunch, type BrowserProcess, findBrowsers, resumeBrowser, startBrowser } from './browser.ts'
import { agentDoor } from './door.ts'

const root = mkdtempSync(join(tmpdir(), 'carrel-gate-test-'))
const PATH = process.env.PATH ?? '/usr/bin:/bin'
const program = browserHere()
const why = await noSandbox()
const untried = why ? ` (skipped: ${why})` : ''
const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
const runtime = {
  folder: join(root, 'data', 'browsers'),
  ledger: join(root, 'ledger'),
  containment: await probeContainment(PATH),
  compiled: join(root, 'compiled'),
  now: Date.now,
}
const running: BrowserProcess[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.end()))
  expect([readdirSync(runtime.folder), readdirSync(runtime.ledger)]).toEqual([[], []])
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const id = (prefix: string) => `${prefix}_${'0'.repeat(26)}`
let starts = 0

async function start(held = false, sandbox: BrowserLaunch['sandbox'] = null) {
  starts += 1
  const [port = 0] = await freePorts((process.pid * 13 + starts * 31) % 10_000, 1, new Set())
  const note = { workspace: 'default', session: id('ses'), run: id('run'), agent: 'scripted', port, at: 1 }
  const launch = {
    onBlocked: () => undefined,
    sandbox,
    enter: [],
    env: { PATH },
    graceMs: 60_000,
    signal: new AbortController().signal,
    held,
  }
  const one = await startBrowser({ ...launch, program: program ?? '', note: note as BrowserLaunch['note'] }, runtime)
  running.push(one)
  return { one, url: `http://127.0.0.1:${port}` }
}

/** Lists the open pages, after the browser has done other work: earlier commands have taken effect by then. */
async function pages(one: BrowserProcess): Promise<string> {
  for (const n of [1, 2, 3]) await askOwn(one.directSocket, `/json/new?about:blank%23own${n}`, 'PUT')
  return await askOwn(one.directSocket, '/json/list')
}
const opens = { url: 'about:blank#the-agents' }

describe.skipIf(program === null)('a gate', () => {
  it('during a hold the agent waits on old and new connections; afterwards its commands run in order', async () => {
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

  it('a killed server loses its hold, and the next server can hold the gate again', async () => {
    const { one, url } = await start()
    const agent = await driveAt(url)
    one.leave()
    const [left] = await findBrowsers(runtime)
    const folder = join(runtime.folder, left?.keeper ?? '')
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
    const again = await resumeBrowser(left!, runtime)
    running.push(again!)
    const hold = await again!.hold()
    const more = agent.send('Target.createTarget', { url: 'about:blank#once-more' })
    expect(await pages(again!)).not.toContain('once-more')
    hold.release()
    await more
    agent.close()
  })

  it('a gate that starts held passes on no command before the first hold is released', async () => {
    const { one, url } = await start(true)
    const version = fetch(`${url}/json/version`)
    const first = await Promise.race([version.then(() => 'agent'), pages(one).then(() => 'own')])
    expect(first).toBe('own')
    const hold = await one.hold()
    hold.release()
    expect((await version).ok).toBe(true)
  })

  it.skipIf(why !== null)(
    `in strict the browser is behind the door of its conversation, where holds work too${untried}`,
    async () => {
      const place = { path: root, root, outside: { reads: [], writes: [] } }
      const access = { hosts: [], write: [], read: [], see: [CHECKOUT], hide: [], place, onlyReads: true }
      const { one, url } = await start(false, { ...access, mode: 'strict' })
      await expect(fetch(`${url}/json/version`)).rejects.toThrow()
      const [door = ''] = agentDoor(runtime.folder, one.note, url).shows?.map(({ from }) => from) ?? []
      expect(await askOwn(join(door, 'browser'), '/json/version')).toContain('webSocketDebuggerUrl')
      const hold = await one.hold()
      const agent = askOwn(join(door, 'browser'), '/json/version')
      expect(await Promise.race([agent.then(() => 'agent'), pages(one).then(() => 'own')])).toBe('own')
      hold.release()
      expect(await agent).toContain('webSocketDebuggerUrl')
    },
  )

  it('gate and browser end together, and holds on them end too', async () => {
    const { one } = await start()
    const hold = await one.hold()
    process.kill(chromiumOf(dirname(dirname(one.directSocket))), 'SIGKILL')
    await Promise.all([hold.over, one.exited])
    await one.end()
    await expect(one.hold()).rejects.toMatchObject({ code: 'gone' })
    const { one: next } = await start()
    const [left] = await findBrowsers(runtime)
    const chromium = chromiumOf(join(runtime.folder, left?.keeper ?? ''))
    const gate = Number(parentOf(chromium))
    process.kill(gate, 'SIGKILL')
    await next.exited
    expect(chromiumOf(join(runtime.folder, left?.keeper ?? ''))).toBe(0)
  })
})

const parentOf = (pid: number) => /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
