import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isPresent } from '../../primitives/absent-as-null.ts'
import { below, isMarked, processTable } from '../process/proc-table.ts'
import { pidsIn } from './cgroup.ts'
import type { Seat } from './hierarchies.ts'

/** The cgroup that a server has for itself, beside those of its agents: here a divided one keeps it. */
const LEAF = 'carrel'
const ROUNDS = 10

/** Where a server makes cgroups: in its own, or, where it is in its leaf already, beside it. */
export const groundOf = ({ version, folder, top }: Seat): string =>
  version === 'v2' && basename(folder) === LEAF && folder !== top ? dirname(folder) : folder

/**
 * Readies a cgroup of version 2 for others in it that have a controller. Only one without processes can be divided (the topmost of
 * a machine apart): a server that has it for itself goes into a leaf first. Safe to repeat.
 *
 * @throws Error in words where others are in it, or the machine says no
 */
export async function divide(seat: Seat, controller: string): Promise<void> {
  const ground = groundOf(seat)
  const shared = join(ground, 'cgroup.subtree_control')
  if (readFileSync(shared, 'utf8').trim().split(' ').includes(controller)) return
  if (isPresent(join(ground, 'cgroup.type'))) await leave(ground)
  writeFileSync(shared, `+${controller}`)
}

async function leave(ground: string): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const inside = pidsIn(ground)
    if (inside.length === 0) return
    const own = await ownProcesses()
    const others = inside.filter((pid) => !own.has(pid))
    if (others.length > 0)
      throw new Error(
        `it is not Carrel's own: ${others.length} other processes are in it, such as ${others[0]}, and one with processes cannot be divided`,
      )
    mkdirSync(join(ground, LEAF), { recursive: true })
    for (const pid of inside) move(pid, join(ground, LEAF))
  }
  throw new Error('more processes came into it than could be moved into a leaf')
}

function move(pid: number, folder: string): void {
  try {
    writeFileSync(join(folder, 'cgroup.procs'), String(pid))
  } catch (thrown) {
    // It has ended meanwhile.
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown
  }
}

/** This process, what started it, what it started, and what earlier lives of a server left at work. */
async function ownProcesses(): Promise<Set<number>> {
  const table = await processTable()
  const byPid = new Map(table.map((row) => [row.pid, row]))
  const own = new Set([process.pid, ...below(process.pid, table).map(({ pid }) => pid)])
  for (let row = byPid.get(process.pid); row; row = byPid.get(row.parent)) own.add(row.pid)
  for (const { pid } of table) if (isMarked(pid)) own.add(pid)
  return own
}
