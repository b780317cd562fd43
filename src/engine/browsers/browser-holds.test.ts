import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { browserHere } from '../../../test/support/browser-setup.ts'
import { askOwn, chromiumOf } from '../../../test/support/gate-setup.ts'
import { createAdmission } from '../../host/agent/admission.ts'
import { probeContainment } from '../../host/process/containment.ts'
import { type BrowserWish, createBrowserPool } from './browser-pool.ts'

const PATH = process.env.PATH ?? '/usr/bin:/bin'
const program = browserHere()
const root = mkdtempSync(join(tmpdir(), 'carrel-holds-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const never = new AbortController().signal
const id = (prefix: string) => `${prefix}_${'0'.repeat(26)}`

it.skipIf(program === null)(
  'who holds the browser of a run holds also the one that takes its place, until the release or the end of the run',
  async () => {
    const folder = join(root, 'browsers')
    const containment = await probeContainment(PATH)
    const told = Promise.withResolvers<string>()
    const wish = {
      workspace: 'default',
      session: id('ses'),
      run: id('run'),
      agent: 'x',
      launch: async () => ({ sandbox: null, enter: [], env: { PATH } }),
      tell: (_level: string, text: string) => told.resolve(text),
    } as unknown as BrowserWish
    const pool = createBrowserPool({
      program: () => program ?? '',
      endpoint: null,
      ground: { folder, ledger: join(root, 'ledger'), containment, compiled: null, now: Date.now },
      admission: createAdmission(1),
      most: 1,
      waitMs: 60_000,
      graceMs: 60_000,
      outlived: [],
      promised: async () => [],
    })
    expect(pool.of(wish.run)).toBeNull()
    const lease = await pool.lease(wish, never)
    const atHand = pool.of(wish.run)!
    const hold = await atHand.hold()
    const first = await atHand.running()
    process.kill(chromiumOf(folder), 'SIGKILL')
    await first.exited
    const second = await atHand.running()
    expect(second.own).not.toBe(first.own)
    expect(await told.promise).toContain('It has a new one at the same address')
    const version = fetch(`${lease.url}/json/version`)
    const own = askOwn(second.own, '/json/version')
    expect(await Promise.race([version.then(() => 'agent'), own.then(() => 'own')])).toBe('own')
    hold.release()
    expect((await version).ok).toBe(true)
    const last = await atHand.hold()
    await lease.release()
    await last.over
    expect(atHand.over.aborted).toBe(true)
    await expect(atHand.hold()).rejects.toMatchObject({ code: 'gone' })
    expect([pool.of(wish.run), readdirSync(folder)]).toEqual([null, []])
    await pool.close()
  },
)
