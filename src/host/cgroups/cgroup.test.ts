import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { needCgroups } from '../../../test/support/cgroup-setup.ts'
import { bootId, processNow } from '../proc-table.ts'
import { processGroup } from '../process/containment.ts'
import { sweepLedger, writeEntry } from '../process/ledger.ts'
import { type ChildTree, spawnTree } from '../process/process.ts'
import { type Cgroup, dropCgroup, foldersOf, makeCgroup, pidsIn } from './cgroup.ts'
import { openCgroups } from './cgroups.ts'

const cgroups = openCgroups({ path: process.env.PATH ?? '' })
const LIMITS = { memoryBytes: 268_435_456, pids: 64 }

function ledgerFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'carrel-cgroup-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const start = (script: string, is: Cgroup, ledger: string, own = true) =>
  spawnTree({
    command: '/bin/sh',
    args: ['-c', script],
    cwd: '/',
    env: { PATH: process.env.PATH ?? '' },
    containment: processGroup(),
    cgroup: { is, own },
    ledger,
    label: 'test',
    now: Date.now,
  })

async function planned(name: string): Promise<Cgroup> {
  const cgroup = (await cgroups.need(LIMITS))(`carrel-test-${name}-${randomUUID()}`)
  onTestFinished(() => dropCgroup(foldersOf(cgroup)))
  return cgroup
}

const output = async (tree: ChildTree) => String(await new Promise((resolve) => tree.stdout.once('data', resolve)))
const there = (cgroup: Cgroup) => foldersOf(cgroup).filter((path) => existsSync(path))

describe('cgroups of trees', () => {
  needCgroups()

  it('a command and its descendants are inside from the start, and its parent is not', async () => {
    const cgroup = await planned('inside')
    const tree = await start('cat /proc/self/cgroup; read -r line', cgroup, ledgerFolder())
    expect(await output(tree)).toContain('/carrel-test-inside')
    for (const path of foldersOf(cgroup)) {
      expect(pidsIn(path)).toContain(tree.pid)
      expect(pidsIn(path)).not.toContain(process.pid)
    }
    const other = await start('echo here; read -r line', cgroup, ledgerFolder(), false)
    await output(other)
    for (const path of foldersOf(cgroup)) expect(pidsIn(path)).toContain(other.pid)
    await other.kill()
    expect(there(cgroup)).toEqual(foldersOf(cgroup))
    await tree.kill()
    expect(there(cgroup)).toEqual([])
  })

  it('P1: a process that left its tree, its mark and its cgroup for an inner one is killed with it', async () => {
    const cgroup = await planned('left')
    const inner = `${foldersOf(cgroup)[0]}/inner`
    const leave = `mkdir ${inner}; env -i /usr/bin/setsid /bin/sh -c 'echo 0 > ${inner}/cgroup.procs; echo inside; exec sleep 1000' & read -r line`
    const tree = await start(leave, cgroup, ledgerFolder())
    await output(tree)
    const [pid] = pidsIn(inner)
    expect(pid).toBeGreaterThan(0)
    tree.stdin.end()
    await tree.exited
    // An orphan process stays a zombie until init reaps it.
    expect([there(cgroup), processNow(pid ?? 0)?.zombie ?? true]).toEqual([[], true])
  })

  it('P1: a cgroup made just before a kill of everything is found by the ledger', async () => {
    const cgroup = await planned('swept')
    const ledger = ledgerFolder()
    writeEntry(ledger, { tree: 'one', label: 'test', bootId: bootId(), identity: null, cgroup: foldersOf(cgroup) })
    makeCgroup(cgroup)
    await sweepLedger(ledger)
    expect([there(cgroup), readdirSync(ledger)]).toEqual([[], []])
  })
})

it('F8: without its cgroup nothing starts, and nothing is left', async () => {
  const ledger = ledgerFolder()
  const made = join(ledgerFolder(), 'made')
  const cgroup: Cgroup = {
    folders: [
      { path: made, settings: [] },
      { path: join(ledgerFolder(), 'no', 'such'), settings: [] },
    ],
    limits: [],
  }
  await expect(start('echo', cgroup, ledger)).rejects.toThrow(/the cgroup for its limits could not be made: ENOENT/)
  expect([existsSync(made), readdirSync(ledger)]).toEqual([false, []])
  mkdirSync(made)
  const tree = await start(
    'echo never',
    { folders: [{ path: join(made, 'gone'), settings: [] }], limits: [] },
    ledger,
    false,
  )
  expect(await tree.exited).toMatchObject({ code: 125 })
})
