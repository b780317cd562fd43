import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const LOCK = 'package-lock.json'
/** The Node of this test, made to report version 20: the number decides, on any machine. */
const OLD =
  "if (!process.env.CARREL_RESTARTED) Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.0.0' } })"

/** Stands for Carrel: `well` says that it ran; `counts` counts its signals and ends at SIGHUP; `idle` handles none. */
const PROGRAM = `
const [, , how] = process.argv
if (how === 'well') console.log('ran', how)
else {
  setInterval(() => undefined, 60_000)
  if (how === 'counts') {
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => console.log(signal))
    process.on('SIGHUP', () => process.exit(0))
  }
  console.log('ready', process.pid)
}`

// An installation of Carrel, a registry that has a Node for it, and a person's cache. npm is the real one.
const top = mkdtempSync(join(tmpdir(), 'carrel-carried-'))
const installed = join(top, 'carrel')
const cache = join(top, 'cache')
const kept = join(cache, 'carrel')
let registry: Server
let url = ''
/** Requests that the registry received. */
const asked: string[] = []
/** While set, the registry sends no tarball to its end. */
let stalls: (() => void) | null = null
let lockfile: { packages: Record<string, { version: string; integrity: string; os?: string; cpu?: string }> }
let name = ''
let version = ''

beforeAll(async () => {
  lockfile = JSON.parse(readFileSync(join(ROOT, 'runtime', LOCK), 'utf8'))
  const [path = '', entry] =
    Object.entries(lockfile.packages).find(([, { os, cpu }]) => os === process.platform && cpu === process.arch) ?? []
  name = path.replace('node_modules/', '')
  version = entry?.version ?? ''
  const tarball = packNode()
  registry = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (!request.url?.endsWith('.tgz')) return void response.end(JSON.stringify(packument(tarball)))
    if (stalls) response.write(tarball.subarray(0, 20))
    else response.end(tarball)
    stalls?.()
  }).listen(0, '127.0.0.1')
  await once(registry, 'listening')
  url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`
  install(integrityOf(tarball))
})
afterAll(() => {
  registry?.closeAllConnections()
  registry?.close()
  rmSync(top, { recursive: true, force: true })
})
beforeEach(() => {
  asked.length = 0
  stalls = null
  for (const path of [cache, join(top, 'npm')]) rmSync(path, { recursive: true, force: true })
})

/** Packs the Node of this test as the registry offers one. */
function packNode(): Buffer {
  const bin = join(top, 'package', 'bin')
  mkdirSync(bin, { recursive: true })
  const program = `#!/bin/sh\nif [ "$1" = --version ]; then echo v${version}; else exec "${process.execPath}" "$@"; fi\n`
  writeFileSync(join(bin, 'node'), program, { mode: 0o755 })
  writeFileSync(join(top, 'package', 'package.json'), JSON.stringify({ name, version }))
  execFileSync('tar', ['-czf', join(top, 'node.tgz'), '-C', top, 'package'])
  return readFileSync(join(top, 'node.tgz'))
}

const integrityOf = (tarball: Buffer) => `sha512-${createHash('sha512').update(tarball).digest('base64')}`

const packument = (tarball: Buffer) => ({
  name,
  'dist-tags': { latest: version },
  versions: { [version]: { name, version, dist: { tarball: `${url}/node.tgz`, integrity: integrityOf(tarball) } } },
})

function install(integrity: string): void {
  for (const folder of ['bin', 'runtime']) cpSync(join(ROOT, folder), join(installed, folder), { recursive: true })
  const packages = { ...lockfile.packages, [`node_modules/${name}`]: { version, integrity } }
  writeFileSync(join(installed, 'runtime', LOCK), JSON.stringify({ ...lockfile, packages }))
  mkdirSync(join(installed, 'src'), { recursive: true })
  writeFileSync(join(installed, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(installed, 'src', 'main.ts'), PROGRAM)
  writeFileSync(join(top, 'old.cjs'), OLD)
}

function start(env: Record<string, string> = {}, how = 'well', detached = false) {
  const child = spawn(
    process.execPath,
    ['--require', join(top, 'old.cjs'), join(installed, 'bin', 'carrel.cjs'), how],
    {
      detached,
      env: {
        PATH: process.env.PATH,
        HOME: top,
        XDG_CACHE_HOME: cache,
        npm_config_registry: url,
        npm_config_cache: join(top, 'npm'),
        npm_config_fetch_retries: '0',
        npm_config_update_notifier: 'false',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const texts = Promise.all([child.stdout, child.stderr].map((stream) => stream.setEncoding('utf8').toArray()))
  const done = once(child, 'close').then(async ([code]) => {
    const [stdout, stderr] = (await texts).map((chunks) => chunks.join(''))
    return { code, stdout, stderr }
  })
  return { child, done }
}

describe.skipIf(process.platform === 'win32')('a start on a Node that is too old', () => {
  it('fetches a Node once, reports it, and uses it from then on', async () => {
    const first = await start().done
    expect(first).toMatchObject({ code: 0, stdout: 'ran well\n' })
    expect(first.stderr).toContain(`Fetching Node ${version} once`)
    expect(readdirSync(kept)).toEqual([`node-${version}-${process.platform}-${process.arch}`])
    asked.length = 0
    expect(await start().done).toEqual({ code: 0, stdout: 'ran well\n', stderr: '' })
    expect(asked).toEqual([])
  })

  it('fetches a Node while another start does the same', async () => {
    const both = await Promise.all([start().done, start().done])
    expect(both.map(({ stdout }) => stdout)).toEqual(['ran well\n', 'ran well\n'])
    expect(readdirSync(kept)).toHaveLength(1)
  })

  it('trusts no part of a killed fetch, and removes it', async () => {
    const stalled = new Promise<void>((resolve) => {
      stalls = resolve
    })
    const { child, done } = start()
    await stalled
    child.kill('SIGKILL')
    registry.closeAllConnections()
    await done
    expect(readdirSync(kept)).toEqual([expect.stringMatching(/^\.fetching-/)])
    stalls = null
    expect(await start().done).toMatchObject({ code: 0, stdout: 'ran well\n' })
    expect(readdirSync(kept)).toEqual([`node-${version}-${process.platform}-${process.arch}`])
  })

  it('refuses a package that differs from the lockfile', async () => {
    install(integrityOf(Buffer.from('another')))
    try {
      const { code, stderr } = await start().done
      expect(code).toBe(69)
      expect(stderr).toMatch(/could not be fetched: .*integrity.* Install Node 24 or newer, or set CARREL_NODE/i)
      expect(readdirSync(kept)).toEqual([])
    } finally {
      install(integrityOf(readFileSync(join(top, 'node.tgz'))))
    }
  })

  it.each([
    ['without a network', { npm_config_registry: 'http://127.0.0.1:9' }, /ECONNREFUSED.* Install Node 24 or newer/],
    ['without npm', { PATH: '/nowhere' }, /npm is not on the PATH\. Install Node 24 or newer/],
  ])('%s, the start tells the user what to do', async (_case, env, sentence) => {
    const { code, stderr } = await start(env).done
    expect(code).toBe(69)
    expect(stderr).toMatch(sentence)
  })

  it('runs no Node from a folder that others can write to', async () => {
    mkdirSync(kept, { recursive: true })
    chmodSync(kept, 0o777)
    const { code, stderr } = await start().done
    expect(code).toBe(69)
    expect(stderr).toMatch(/others can write to it/)
    expect(existsSync(join(kept, `node-${version}-${process.platform}-${process.arch}`))).toBe(false)
  })
})

/** Starts a program in a process group of its own, as a shell does; the launcher and its child are both in it. */
async function startGroup(how: string) {
  const { child } = start({ CARREL_NODE: process.execPath }, how, true)
  let said = ''
  const waiting = new Set<() => void>()
  child.stdout.on('data', (text: string) => {
    said += text
    for (const check of waiting) check()
  })
  const until = (pattern: RegExp) =>
    new Promise<string>((resolve) => {
      const check = () => {
        const found = pattern.exec(said)
        if (found) resolve(found[1] ?? '')
      }
      waiting.add(check)
      check()
    })
  const launcher = child.pid ?? 0
  const program = Number(await until(/ready (\d+)\n/))
  return { launcher, program, until, signals: () => said.match(/SIG\w+/g) ?? [], closed: once(child, 'close') }
}

describe.skipIf(process.platform === 'win32')('a signal for a command on a Node that is too old', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    '%s to the whole group, as a terminal sends it, counts once',
    async (signal) => {
      const group = await startGroup('counts')
      process.kill(-group.launcher, signal)
      await group.until(new RegExp(`((${signal}\n){1})`))
      process.kill(-group.launcher, signal)
      await group.until(new RegExp(`((${signal}\n){2})`))
      process.kill(-group.launcher, 'SIGHUP')
      expect(await group.closed).toEqual([0, null])
      expect(group.signals()).toEqual([signal, signal])
    },
  )

  it('a signal to the launcher alone, or to the command alone, arrives once', async () => {
    const group = await startGroup('counts')
    process.kill(group.launcher, 'SIGINT')
    await group.until(/(SIGINT\n)/)
    process.kill(group.program, 'SIGTERM')
    await group.until(/(SIGTERM\n)/)
    process.kill(-group.launcher, 'SIGINT')
    await group.until(/SIGTERM\n(SIGINT\n)/)
    process.kill(group.launcher, 'SIGHUP')
    expect(await group.closed).toEqual([0, null])
    expect(group.signals()).toEqual(['SIGINT', 'SIGTERM', 'SIGINT'])
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s ends a command that does not handle it', async (signal, code) => {
    const group = await startGroup('idle')
    process.kill(group.launcher, signal)
    expect(await group.closed).toEqual([code, null])
  })
})
