import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createMask, createTextFilter } from '../../model/secrets/mask.ts'
import { createAwakeClock } from '../../primitives/awake-clock.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { bootId, processNow, TREE_VARIABLE } from '../proc-table.ts'
import { dropInherited } from '../process/inherited.ts'
import { spawnTree } from '../process/process.ts'
import { AgentKeeper } from './keeper.ts'
import { type KeeperLaunch, type KeeperNote, NOTE, socketPath } from './protocol.ts'
import { Spool } from './spool.ts'

/**
 * Process of a keeper: holds the pipes of one agent and outlives the server. Reads its launch from stdin, writes
 * `ready` or an error to stdout, and then serves its socket only. A server that dies before the launch is complete
 * leaves no process behind.
 */
async function main(): Promise<void> {
  dropInherited()
  const launch = JSON.parse(readFileSync(0, 'utf8')) as KeeperLaunch
  const { folder } = launch
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const spool = new Spool(folder)
  const path = socketPath(folder)
  rmSync(path, { force: true })
  const leave = () => {
    rmSync(path, { force: true })
    process.exit(0)
  }
  const mask = createMask(launch.secrets ?? [])
  const stderrFilter = createTextFilter(() => mask)
  if (launch.proxy) {
    // The module is loaded on demand, to save memory.
    const { serveProxy } = await import('../sandbox/proxy.ts')
    rmSync(launch.proxy.socket, { force: true })
    await serveProxy({ ...launch.proxy, onStopped: (target) => keeper.stopped(target) })
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
    onStderr: (chunk) => keeper.stderr(stderrFilter.push(chunk.toString('utf8'))),
    stderrFilter: createTextFilter(() => mask),
    ...(launch.stderrPath === null ? {} : { stderrPath: launch.stderrPath }),
  })
  const awake = createAwakeClock(Date.now)
  const keeper = new AgentKeeper({ launch, spool, tree, now: Date.now, awake, leave })
  const server = createServer((socket) => keeper.take(socket))
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
