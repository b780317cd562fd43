import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { buildNode } from '../scripts/bundle.mjs'
import { type KeptTree, startKeeper } from '../src/host/keeper/client.ts'
import { processNow } from '../src/host/proc-table.ts'
import { probeContainment } from '../src/host/process/containment.ts'
import { PACKAGE_ROOT, useProgramsOf } from '../src/primitives/programs.ts'
import type { Effort } from './appends.ts'
import { dropFolder, tempFolder, track } from './children.ts'
import { below, median, type Result, type Target } from './figures.ts'
import { send } from './wire.ts'

const IDLE_MS = 2_500
const KEEPERS = 20

/** One of two ways to run the same Carrel. Each keeps what Node compiled in a folder of its own, as an installation does. */
interface Way {
  readonly bin: string
  /** Its programs; null for the sources. */
  readonly programs: URL | null
  readonly compiled: string
}

/**
 * The package beside the sources it is made of: starts of server, command and keeper, by turns. The first round of each
 * is not counted, since Node compiles then.
 */
export async function measureBuilt({ rounds }: Effort): Promise<Result[]> {
  buildNode()
  const folder = tempFolder('built')
  const way = (name: string, root: string, programs: URL | null): Way => {
    const compiled = join(folder, `compiled-${name}`)
    mkdirSync(compiled)
    return { bin: join(root, 'bin', 'carrel.cjs'), programs, compiled }
  }
  const root = join(folder, 'package')
  const programs = pathToFileURL(`${join(root, 'dist', 'node')}/`)
  layOut(root)
  const ways = [way('built', root, programs), way('sources', PACKAGE_ROOT, null)] as const
  const results: Result[] = []
  for (const measure of [serves, commands, keepers]) results.push(...(await measure(ways, folder, rounds)))
  dropFolder(folder)
  return results
}

/** A package as it is installed, of what was just built. */
function layOut(root: string): void {
  for (const name of ['bin', 'runtime', 'dist/node', 'package.json']) {
    cpSync(join(PACKAGE_ROOT, name), join(root, name), { recursive: true })
  }
  symlinkSync(join(PACKAGE_ROOT, 'node_modules'), join(root, 'node_modules'))
}

type Ways = readonly [built: Way, sources: Way]
type Figures = Readonly<Record<string, number>>

/** Measures each way once a round, by turns. */
async function byTurns(
  ways: Ways,
  rounds: number,
  measure: (way: Way) => Promise<Figures>,
): Promise<[Figures[], Figures[]]> {
  const all: [Figures[], Figures[]] = [[], []]
  for (let round = 0; round <= Math.max(2, rounds); round += 1) {
    for (const [n, way] of ways.entries()) {
      const figures = await measure(way)
      if (round > 0) all[n]?.push(figures)
    }
  }
  return all
}

function result(
  [ours, theirs]: [Figures[], Figures[]],
  key: string,
  name: string,
  unit: string,
  target: Target,
  note?: string,
): Result {
  const of = (all: Figures[]) => all.flatMap((one) => one[key] ?? [])
  return { name, unit, ours: of(ours), theirs: of(theirs), target, note }
}

const ratioBelow = (limit: number): Target => ({
  text: `< ${limit} x`,
  reached: (ours, theirs) => theirs !== null && ours < limit * theirs,
})

async function serves(ways: Ways, folder: string, rounds: number): Promise<Result[]> {
  const all = await byTurns(ways, rounds, (way) => serveOnce(way, join(folder, 'data')))
  const note = 'the package beside its sources, in the column of the reference server'
  return [
    result(all, 'ms', 'built: `serve` to its first answer', 'ms', ratioBelow(0.72), note),
    result(all, 'cpuMs', 'built: processor time until then', 'ms', ratioBelow(0.55)),
    result(all, 'mib', 'built: `serve` at rest, RSS', 'MiB', below(122, 'MiB')),
  ]
}

async function serveOnce(way: Way, data: string): Promise<Figures> {
  const port = await freePort()
  const began = performance.now()
  const child = spawnWay(way, ['serve', '--port', String(port), '--data', data])
  const exited = track(child)
  const pid = child.pid ?? 0
  try {
    const address = { url: `http://127.0.0.1:${port}`, headers: {} }
    while (!(await send(address, 'GET', '/login').catch(() => null))) {
      if (child.exitCode !== null) throw new Error(`carrel serve ended with ${child.exitCode}.`)
      if (performance.now() - began > 60_000) throw new Error('carrel serve did not answer within a minute.')
      await sleep(5)
    }
    const [ms, cpuMs] = [performance.now() - began, processorMs(pid)]
    await sleep(IDLE_MS)
    return { ms, cpuMs, mib: memoryMib(pid, 'Rss') }
  } finally {
    child.kill('SIGTERM')
    await exited
  }
}

async function commands(ways: Ways, folder: string, rounds: number): Promise<Result[]> {
  const timed = (args: readonly string[]) => async (way: Way) => {
    const began = performance.now()
    await track(spawnWay(way, args))
    return { ms: performance.now() - began }
  }
  const version = await byTurns(ways, rounds, timed(['--version']))
  const sessions = await byTurns(ways, rounds, timed(['sessions', 'list', '--data', join(folder, 'data')]))
  return [
    result(version, 'ms', 'built: `carrel --version`', 'ms', ratioBelow(0.6)),
    result(sessions, 'ms', 'built: `carrel sessions list`', 'ms', ratioBelow(0.6)),
  ]
}

/** Some at once, as a server has them: what they share of Node counts for each by its part. */
async function keepers(ways: Ways, folder: string, rounds: number): Promise<Result[]> {
  const containment = await probeContainment(process.env.PATH ?? '')
  const all = await byTurns(ways, rounds, async (way) => {
    useProgramsOf(way.programs)
    const options = {
      keepers: join(folder, 'keepers'),
      ledger: join(folder, 'ledger'),
      containment,
      now: Date.now,
      compiled: way.compiled,
      maxFrameBytes: 1 << 20,
    }
    const started: { tree: KeptTree; pid: number; ms: number; cpuMs: number }[] = []
    for (let n = 0; n < KEEPERS; n += 1) {
      const began = performance.now()
      const tree = await startKeeper({ ...CAT, cwd: folder }, options)
      const ms = performance.now() - began
      tree.listen(DEAF)
      const pid = processNow(tree.pid)?.parent ?? 0
      started.push({ tree, pid, ms, cpuMs: processorMs(pid) })
    }
    const mib = started.map(({ pid }) => memoryMib(pid, 'Pss'))
    for (const { tree } of started) {
      // An end of its own lets Node keep what it compiled.
      await tree.stop({ eofMs: 2_000, termMs: 2_000 })
      await tree.forget()
    }
    useProgramsOf(null)
    const middle = (key: 'ms' | 'cpuMs') => median(started.map((one) => one[key])) ?? 0
    return { ms: middle('ms'), cpuMs: middle('cpuMs'), mib: median(mib) ?? 0 }
  })
  return [
    result(all, 'ms', 'built: keeper until it is ready', 'ms', ratioBelow(1)),
    result(all, 'cpuMs', 'built: its processor time until then', 'ms', below(80, 'ms')),
    result(all, 'mib', `built: memory of each of ${KEEPERS} keepers, PSS`, 'MiB', below(14, 'MiB')),
  ]
}

const ignore = () => undefined
const DEAF = { frame: ignore, replayed: ignore, tooLarge: ignore, stopped: ignore, reached: ignore }
const CAT = {
  command: '/bin/cat',
  args: [],
  env: {},
  label: 'cat',
  stderrPath: null,
  limits: { graceMs: 60_000, deadlineAt: null },
}

function spawnWay({ bin, compiled }: Way, args: readonly string[]) {
  const env = { ...process.env, NODE_COMPILE_CACHE: compiled }
  return spawn(process.execPath, [bin, ...args], { env, stdio: 'ignore' })
}

/** Returns the processor time of all live threads of a process, in ms. */
function processorMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const used = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  )
  return used.reduce((sum, ns) => sum + ns, 0) / 1e6
}

function memoryMib(pid: number, kind: 'Rss' | 'Pss'): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(new RegExp(`^${kind}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1024
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      )
    })
    server.on('error', reject)
  })
}
