import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { createAdmission } from '../../host/agent/admission.ts'
import { browserServers } from '../../host/browsers/mcp.ts'
import { processGroup } from '../../host/process/containment.ts'
import { type BrowserWish, createBrowserPool } from './browser-pool.ts'

const root = mkdtempSync(join(tmpdir(), 'carrel-pool-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const ground = { folder: root, ledger: root, containment: processGroup(), compiled: null, now: () => 5 }
const never = new AbortController().signal

function poolOf(endpoint: string | null) {
  const program = () => '/bin/false'
  const times = { waitMs: 60_000, graceMs: 0 }
  const admission = createAdmission(1)
  return createBrowserPool({
    ...times,
    program,
    endpoint,
    ground,
    admission,
    most: 1,
    outlived: [],
    promised: async () => [],
  })
}

const heard: string[] = []
const wish = (run: string, workspace = 'a') =>
  ({
    workspace,
    session: `of ${run}`,
    run,
    agent: 'x',
    launch: async () => ({ sandbox: null, enter: [], env: {} }),
    tell: (_level: string, text: string) => heard.push(text),
  }) as unknown as BrowserWish

it('of a service each run has its own address, no more at once than allowed, and a workspace sees its own only', async () => {
  const pool = poolOf('wss://browsers.example/?token=t')
  const first = await pool.lease(wish('one'), never)
  expect(first.url).toBe('wss://browsers.example/?token=t')
  const second = pool.lease(wish('two', 'b'), never)
  await expect.poll(() => pool.uses('b')).toMatchObject([{ run: 'two', state: 'waiting', since: 5 }])
  expect(pool.uses('a')).toMatchObject([{ run: 'one', state: 'ready', replaced: 0 }])
  expect(heard).toEqual(['This run waits for a browser: the only one is in use.'])
  await Promise.all([first.release(), first.release()])
  await second
  expect([pool.taken, pool.uses('a')]).toEqual([1, []])
  await pool.close()
  expect(pool.taken).toBe(0)
})

it('one that does not start is not held against the others', async () => {
  const pool = poolOf(null)
  for (const run of ['one', 'two'])
    await expect(pool.lease(wish(run), never)).rejects.toThrow(/\/bin\/false did not start/)
  expect([pool.taken, pool.uses('a')]).toEqual([0, []])
})

it('an agent gets the tools that come along, those of the setting, or none', () => {
  const [carried] = browserServers('http://127.0.0.1:1', null) as { command: string; args: string[] }[]
  expect(carried).toMatchObject({ name: 'browser', command: process.execPath })
  expect(carried?.args).toEqual(expect.arrayContaining(['--browserUrl', 'http://127.0.0.1:1', '--no-usage-statistics']))
  expect(browserServers('wss://x', null)).toMatchObject([{ args: expect.arrayContaining(['--wsEndpoint', 'wss://x']) }])
  expect(browserServers('wss://x', ['npx', 'it', '--at={browser}'])).toEqual([
    { name: 'browser', command: 'npx', args: ['it', '--at=wss://x'], env: [] },
  ])
  expect(browserServers('wss://x', [])).toEqual([])
})
