import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { browserHere } from '../../../test/support/browser-setup.ts'
import { askOwn, chromiumOf } from '../../../test/support/gate-setup.ts'
import { createAdmission } from '../../host/agent/admission.ts'
import { probeContainment } from '../../host/process/containment.ts'
import { BrowserPool } from './browser-pool.ts'
import type { BrowserRequest } from './run-browser.ts'

const PATH = process.env.PATH ?? '/usr/bin:/bin'
const program = browserHere()
const root = mkdtempSync(join(tmpdir(), 'carrel-holds-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const never = new AbortController().signal
const id = (prefix: string) => `${prefix}_${'0'.repeat(26)}`

it.skipIf(program === null)(
  'a hold carries over to the process that replaces another, until the release or the end of the run',
  async () => {
    const folder = join(root, 'browsers')
    const containment = await probeContainment(PATH)
    const notice = Promise.withResolvers<string>()
    const request = {
      workspace: 'default',
      session: id('ses'),
      run: id('run'),
      agent: 'x',
      launch: async () => ({ sandbox: null, enter: [], env: { PATH } }),
      notify: (_level: string, text: string) => notice.resolve(text),
    } as unknown as BrowserRequest
    const pool = new BrowserPool({
      program: () => program ?? '',
      endpoint: null,
      runtime: { folder, ledger: join(root, 'ledger'), containment, compiled: null, now: Date.now },
      admission: createAdmission(1),
      most: 1,
      waitMs: 60_000,
      graceMs: 60_000,
      surviving: [],
      leasedPorts: async () => [],
      view: { now: Date.now, id: () => 'hold', idleMs: 60_000 },
    })
    expect(pool.of(request.run)).toBeNull()
    const browser = await pool.lease(request, never)
    expect(pool.of(request.run)).toBe(browser)
    const hold = await browser.hold()
    const first = await browser.running()
    process.kill(chromiumOf(folder), 'SIGKILL')
    await first.exited
    const second = await browser.running()
    expect(second.directSocket).not.toBe(first.directSocket)
    expect(await notice.promise).toContain('A new one runs at the same address')
    const version = fetch(`${browser.url}/json/version`)
    const own = askOwn(second.directSocket, '/json/version')
    expect(await Promise.race([version.then(() => 'agent'), own.then(() => 'own')])).toBe('own')
    hold.release()
    expect((await version).ok).toBe(true)
    const last = await browser.hold()
    await browser.release()
    await last.over
    expect(browser.over.aborted).toBe(true)
    await expect(browser.hold()).rejects.toMatchObject({ code: 'gone' })
    expect([pool.of(request.run), readdirSync(folder)]).toEqual([null, []])
    await pool.close()
  },
)
