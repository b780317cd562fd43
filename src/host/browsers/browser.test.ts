import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { browserHere, cdp } from '../../../test/support/browser-setup.ts'
import { noSandbox } from '../../../test/support/sandbox-setup.ts'
import { freePorts } from '../ports.ts'
import { bootId, processNow } from '../proc-table.ts'
import { probeContainment } from '../process/containment.ts'
import { enclose } from '../sandbox/enclose.ts'
import {
  type BrowserLaunch,
  type BrowserProcess,
  findBrowsers,
  resumeBrowser,
  type SurvivingBrowser,
  startBrowser,
} from './browser.ts'
import { findBrowser, needBrowser } from './find.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'carrel-browser-'))
const PATH = process.env.PATH ?? '/usr/bin:/bin'
const program = browserHere()
const runtime = {
  folder: join(root, 'data', 'browsers'),
  ledger: join(root, 'ledger'),
  containment: await probeContainment(PATH),
  compiled: null,
  now: Date.now,
}
const id = (prefix: string) => `${prefix}_${'0'.repeat(26)}`
let starts = 0
const running: BrowserProcess[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.end()))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

async function launchAt(port: number, more: Partial<BrowserLaunch> = {}): Promise<BrowserLaunch> {
  const note = { workspace: 'default', session: id('ses'), run: id('run'), agent: 'scripted', port, at: 1 }
  return {
    program: program ?? '',
    note: note as BrowserLaunch['note'],
    sandbox: null,
    enter: [],
    env: { PATH },
    held: false,
    onBlocked: () => undefined,
    graceMs: 60_000,
    signal: new AbortController().signal,
    ...more,
  }
}

async function start(more: Partial<BrowserLaunch> = {}) {
  starts += 1
  const [port = 0] = await freePorts((process.pid * 7 + starts * 31) % 10_000, 1, new Set())
  const one = await startBrowser(await launchAt(port, more), runtime)
  running.push(one)
  return { one, url: `http://127.0.0.1:${port}`, port }
}

it.skipIf(process.platform !== 'linux')(
  'P1: a surviving browser that cannot be resumed is ended, and the reason is thrown',
  async () => {
    const child = spawn('/bin/sleep', ['600'], { detached: true, stdio: 'ignore' })
    const ended = once(child, 'exit')
    const { pid = 0 } = child
    const identity = { pid, startTicks: processNow(pid)?.startTicks ?? 0, bootId: bootId() }
    const folder = join(runtime.folder, 'kpr_loop')
    mkdirSync(folder, { recursive: true })
    symlinkSync('keeper.json', join(folder, 'keeper.json'))
    const tree = { tree: 'tree_loop', identity }
    const { note } = await launchAt(1)
    const surviving = { keeper: 'kpr_loop', note, trees: { keeper: tree, agent: tree } } as SurvivingBrowser
    await expect(resumeBrowser(surviving, runtime)).rejects.toThrow(/ELOOP/)
    expect((await ended)[1]).toBe('SIGKILL')
    // An unreadable note may name a cgroup: its folder stays for the next start.
    rmSync(folder, { recursive: true })
  },
)

it('a browser is found by name or path; a missing one is an error that says how to install it', () => {
  expect(findBrowser(null, '/nowhere')).toSatisfy((found) => found === null || existsSync(found))
  expect(findBrowser('sh', PATH)).toMatch(/\/sh$/)
  expect(() => needBrowser('no-such-browser', PATH)).toThrow(/no-such-browser.*Install Chromium/)
})

describe.skipIf(program === null)('a browser', () => {
  it('has a profile of its own, survives its server, and leaves neither process nor file at its end', async () => {
    const [a, b] = await Promise.all([start(), start()])
    expect(readdirSync(runtime.folder)).toHaveLength(2)
    await a.one.end()
    await expect(fetch(`${a.url}/json/version`)).rejects.toThrow()
    b.one.leave()
    const [left, ...others] = await findBrowsers(runtime)
    expect([left?.note, others]).toEqual([b.one.note, []])
    const again = await resumeBrowser(left!, runtime)
    running.push(again!)
    expect((await fetch(`${b.url}/json/version`)).ok).toBe(true)
    process.kill(left!.trees.agent.identity.pid, 'SIGKILL')
    await again!.exited
    await again!.end()
    expect(readdirSync(runtime.folder)).toEqual([])
    expect(readdirSync(runtime.ledger)).toEqual([])
  })

  it('refuses a port that another program has, and says why it cannot start', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => holder.once('listening', resolve))
    const { port } = holder.address() as { port: number }
    await expect(startBrowser(await launchAt(port), runtime)).rejects.toThrow(/is taken/)
    holder.close()
    await expect(startBrowser(await launchAt(port, { program: '/bin/false' }), runtime)).rejects.toThrow(
      /ended at once/,
    )
    expect(readdirSync(runtime.folder)).toEqual([])
  })
})

const why = await noSandbox()
it.skipIf(program === null || why !== null)(
  'in a sandbox it reads its place and no closed path, and writes to its own folder only',
  async () => {
    const place = mkdtempSync(join(root, 'place-'))
    const secret = join(root, 'hidden.txt')
    writeFileSync(secret, 'the canary')
    writeFileSync(join(place, 'own.txt'), 'its own')
    const outside = { reads: [], writes: [] }
    const sandbox = {
      mode: 'guard' as const,
      hosts: [],
      write: [],
      read: [],
      // Node, which runs the gate, may be below a closed folder.
      see: [ROOT],
      hide: [join(root, 'data'), secret],
      place: { path: place, root: place, outside },
      onlyReads: true,
    }
    const { url } = await start({ sandbox })
    const read = (path: string) => cdp(url, 'document.body.innerText', `file://${path}`)
    expect(await read(join(place, 'own.txt'))).toBe('its own')
    expect(await read(secret)).not.toContain('canary')
    const { containment } = await enclose(sandbox, mkdtempSync(join(root, 'keeper-')), { PATH })
    const [bwrap = '', ...flags] = containment.wrap
    const write = promisify(execFile)(bwrap, [...flags, 'touch', join(place, 'new.txt')], { env: { PATH } })
    await expect(write).rejects.toThrow(/Read-only file system/)
  },
)
