import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { createAdmission } from '../../host/agent/admission.ts'
import { browserServers } from '../../host/browsers/mcp.ts'
import { processGroup } from '../../host/process/containment.ts'
import { BrowserPool } from './browser-pool.ts'
import type { BrowserRequest } from './run-browser.ts'

const root = mkdtempSync(join(tmpdir(), 'carrel-pool-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const runtime = { folder: root, ledger: root, containment: processGroup(), compiled: null, now: () => 5 }
const never = new AbortController().signal

function poolOf(endpoint: string | null) {
  const program = () => '/bin/false'
  const times = { waitMs: 60_000, graceMs: 0 }
  const admission = createAdmission(1)
  return new BrowserPool({
    ...times,
    program,
    endpoint,
    runtime,
    admission,
    most: 1,
    surviving: [],
    leasedPorts: async () => [],
    view: { now: () => 5, id: () => 'hold', idleMs: 60_000 },
  })
}

const notices: string[] = []
const request = (run: string, workspace = 'a') =>
  ({
    workspace,
    session: `of ${run}`,
    run,
    agent: 'x',
    launch: async () => ({ sandbox: null, enter: [], env: {} }),
    notify: (_level: string, text: string) => notices.push(text),
  }) as unknown as BrowserRequest

it('leases no more browsers of a service than allowed, and lists only those of the workspace', async () => {
  const pool = poolOf('wss://browsers.example/?token=t')
  const first = await pool.lease(request('one'), never)
  expect(first.url).toBe('wss://browsers.example/?token=t')
  const second = pool.lease(request('two', 'b'), never)
  await expect.poll(() => pool.uses('b')).toMatchObject([{ run: 'two', state: 'waiting', since: 5 }])
  expect(pool.uses('a')).toMatchObject([{ run: 'one', state: 'ready', replaced: 0 }])
  expect(notices).toEqual(['This run waits for a browser: the only one is in use.'])
  await Promise.all([first.release(), first.release()])
  await second
  expect([pool.taken, pool.uses('a')]).toEqual([1, []])
  await pool.close()
  expect(pool.taken).toBe(0)
})

it('a browser that does not start gives its slot back', async () => {
  const pool = poolOf(null)
  for (const run of ['one', 'two'])
    await expect(pool.lease(request(run), never)).rejects.toThrow(/\/bin\/false did not start/)
  expect([pool.taken, pool.uses('a')]).toEqual([0, []])
})

it('an agent gets the bundled MCP server, that of the setting, or none', () => {
  const [bundled] = browserServers('http://127.0.0.1:1', null) as { command: string; args: string[] }[]
  expect(bundled).toMatchObject({ name: 'browser', command: process.execPath })
  expect(bundled?.args).toEqual(expect.arrayContaining(['--browserUrl', 'http://127.0.0.1:1', '--no-usage-statistics']))
  expect(browserServers('wss://x', null)).toMatchObject([{ args: expect.arrayContaining(['--wsEndpoint', 'wss://x']) }])
  expect(browserServers('wss://x', ['npx', 'it', '--at={browser}'])).toEqual([
    { name: 'browser', command: 'npx', args: ['it', '--at=wss://x'], env: [] },
  ])
  expect(browserServers('wss://x', [])).toEqual([])
})
