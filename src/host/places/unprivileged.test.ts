import { execFile } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, expect, it } from 'vitest'
import { removeFolder } from './removal.ts'

const run = promisify(execFile)
const NOBODY = 65_534
const PLACES = fileURLToPath(new URL('./places.ts', import.meta.url))
const CONTAINMENT = fileURLToPath(new URL('../process/containment.ts', import.meta.url))
const top = realpathSync(mkdtempSync(join(tmpdir(), 'carrel-nobody-')))
afterAll(() => removeFolder(top))

/** Script of a server that runs without privileges. */
const SCRIPT = `
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
const { openPlaces } = await import(process.env.PLACES)
const { probeContainment } = await import(process.env.CONTAINMENT)
const { TOP: top, PATH: path } = process.env
mkdirSync(top + '/source/sub', { recursive: true })
writeFileSync(top + '/source/sub/b.txt', 'b')
writeFileSync(top + '/source/a.txt', 'a')
chmodSync(top + '/source/sub', 0o555)
const containment = await probeContainment(path)
const ledger = top + '/data/processes'
const open = () => openPlaces({ dataFolder: top + '/data', path, env: { PATH: path }, containment, ledger, now: Date.now })
const places = open()
const drivers = await places.drivers()
const signal = new AbortController().signal
const rest = { branch: null, start: null, include: [], signal, onProgress() {}, parent: top + '/data/places' }
const setup = ['/bin/sh', '-c', 'id -u > uid; chmod 700 sub; rm sub/b.txt; rmdir sub; mkdir sub; echo c > sub/c']
const record = await places.make({ kind: 'overlay', id: 'prj_1', source: top + '/source', driver: 'overlayfs', setup, ...rest })
const seen = async (places) => {
  const { root } = await places.open(record)
  return { uid: readFileSync(root + '/uid', 'utf8').trim(), sub: readdirSync(root + '/sub'), ...(await places.removalRisks(record)) }
}
const first = await seen(places)
await places.close()
const again = open()
const second = await seen(again)
const source = readdirSync(top + '/source/sub')
await again.remove(record)
const left = readdirSync(top + '/data/places').concat(readdirSync(top + '/data/places/bases'))
await again.close()
console.log(JSON.stringify({ uid: process.getuid(), detail: drivers[0].detail, first, second, source, left }))
`

const asNobody = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups', '--']
const env = { PATH: process.env.PATH ?? '', TOP: top, PLACES, CONTAINMENT }

/** Returns why the test cannot run here; null when it can. */
async function obstacle(): Promise<string | null> {
  if (process.platform !== 'linux') return 'user namespaces are part of Linux'
  if (process.getuid?.() !== 0) return 'everything else is tried without rights here'
  const words = [...asNobody, 'unshare', '--user', '--map-current-user', '--keep-caps', '--mount', 'cat', PLACES]
  return await run('setpriv', words, { env }).then(
    () => null,
    (failure: Error) => `nobody may not make user namespaces here, or not read the sources: ${failure.message}`,
  )
}

const why = await obstacle()

it.skipIf(why !== null)(
  `a server without rights has overlays too${why ? ` (not tried: ${why})` : ''}`,
  { timeout: 60_000 },
  async () => {
    const script = join(top, 'server.mjs')
    writeFileSync(script, SCRIPT)
    mkdirSync(join(top, 'data'))
    chmodSync(top, 0o755)
    for (const folder of [top, join(top, 'data')]) chownSync(folder, NOBODY, NOBODY)
    const { stdout } = await run('setpriv', [...asNobody, process.execPath, script], { env, cwd: top })
    const { uid, detail, first, second, source, left } = JSON.parse(stdout)
    expect(uid).toBe(NOBODY)
    expect(detail).toContain('user and mount namespace')
    expect(first).toMatchObject({ uid: String(NOBODY), sub: ['c'], changed: ['sub', 'sub/b.txt', 'sub/c', 'uid'] })
    expect(second).toEqual(first)
    expect(source).toEqual(['b.txt'])
    expect(left).toEqual(['bases'])
  },
)
