import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createMask, createTextFilter } from '../../model/mask.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { dropInherited } from '../process/inherited.ts'
import { bootId, processNow, TREE_VARIABLE } from '../process/proc-table.ts'
import { spawnTree } from '../process/process.ts'
import { keepAgent } from './keeper.ts'
import { type KeeperLaunch, type KeeperNote, NOTE, socketPath } from './protocol.ts'
import { openSpool } from './spool.ts'

/**
 * The keeper's process: holds the pipes of one agent and outlives the server. It is told what to start over its stdin,
 * says `ready` or what went wrong on its stdout, and then talks over its socket only. A server that dies before it has
 * told everything leaves nothing behind.
 */
async function main(): Promise<void> {
  dropInherited()
  const launch = JSON.parse(readFileSync(0, 'utf8')) as KeeperLaunch
  const { folder } = launch
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const spool = openSpool(folder)
  const path = socketPath(folder)
  rmSync(path, { force: true })
  const leave = () => {
    rmSync(path, { force: true })
    process.exit(0)
  }
  const mask = createMask(launch.secrets ?? [])
  const heard = createTextFilter(() => mask)
  if (launch.proxy) {
    // Only who needs it pays for it.
    const { serveProxy } = await import('../sandbox/proxy.ts')
    rmSync(launch.proxy.socket, { force: true })
    await serveProxy({ ...launch.proxy, onStopped: (target) => keeping.stopped(target) })
  }
  const tree = await spawnTree({
    command: launch.command,
    args: launch.args,
    cwd: launch.cwd,
    enter: launch.enter ?? [],
    env: launch.env,
    containment: launch.containment,
    cgroup: launch.cgroup ? { is: launch.cgroup, own: true } : null,
    ledger: launch.ledger,
    label: launch.label,
    now: Date.now,
    onStderr: (chunk) => keeping.stderr(heard.push(chunk.toString('utf8'))),
    stderrFilter: createTextFilter(() => mask),
    ...(launch.stderrPath === null ? {} : { stderrPath: launch.stderrPath }),
  })
  const keeping = keepAgent({ launch, spool, tree, now: Date.now, leave })
  const server = createServer((socket) => keeping.take(socket))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  const self = { pid: process.pid, startTicks: processNow(process.pid)?.startTicks ?? 0, bootId: bootId() }
  const note: KeeperNote = {
    token: launch.token,
    label: launch.label,
    keeper: { tree: process.env[TREE_VARIABLE] ?? '', identity: self },
    agent: { tree: tree.tree, identity: tree.identity },
    ...(launch.cgroup && { cgroup: launch.cgroup }),
    startedAt: Date.now(),
  }
  writeFileSync(join(folder, NOTE), JSON.stringify(note), { mode: 0o600 })
  process.stdout.end('ready\n')
}

main().catch((thrown) => {
  process.stdout.write(`${messageOf(thrown)}\n`, () => process.exit(1))
})
