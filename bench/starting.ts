import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Effort } from './appends.ts'
import { dropFolder, tempFolder, track } from './children.ts'
import { below, type Result } from './figures.ts'
import { send } from './wire.ts'

const BINARY = fileURLToPath(new URL('../bin/carrel.cjs', import.meta.url))
const IDLE_MS = 3_000

/** `carrel serve` as a person starts it: until it answers, and what it holds while nothing happens. */
export async function measureStart({ rounds }: Effort): Promise<Result[]> {
  const folder = tempFolder('start')
  const first: number[] = []
  const again: number[] = []
  const rss: number[] = []
  try {
    for (let round = 0; round < Math.max(2, rounds); round += 1) {
      const { ms, mib } = await serveOnce(folder)
      ;(round === 0 ? first : again).push(ms)
      rss.push(mib)
    }
  } finally {
    dropFolder(folder)
  }
  const note = 'from the start of the process to the first answer over HTTP'
  return [
    { name: '`carrel serve`, first start', unit: 'ms', ours: first, theirs: [], note },
    { name: '`carrel serve`, later starts', unit: 'ms', ours: again, theirs: [], target: below(2_000, 'ms') },
    { name: '`carrel serve`, idle RSS', unit: 'MiB', ours: rss, theirs: [], target: below(150, 'MiB') },
  ]
}

async function serveOnce(folder: string): Promise<{ ms: number; mib: number }> {
  const port = await freePort()
  const began = performance.now()
  const args = [BINARY, 'serve', '--port', String(port), '--data', folder]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const exited = track(child)
  try {
    const address = { url: `http://127.0.0.1:${port}`, headers: {} }
    while (!(await send(address, 'GET', '/login').catch(() => null))) {
      if (child.exitCode !== null) throw new Error(`carrel serve ended with ${child.exitCode}.`)
      if (performance.now() - began > 60_000) throw new Error('carrel serve did not answer within a minute.')
      await sleep(5)
    }
    const ms = performance.now() - began
    await sleep(IDLE_MS)
    return { ms, mib: residentMib(child.pid ?? 0) }
  } finally {
    child.kill('SIGTERM')
    const impatient = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await exited
    clearTimeout(impatient)
  }
}

/** As Linux counts it, shared pages included. */
function residentMib(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) / 1024
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
