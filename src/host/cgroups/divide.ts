import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isPresent } from '../../primitives/absent-as-null.ts'
import { below, isMarked, processTable } from '../proc-table.ts'
import { pidsIn } from './cgroup.ts'
import type { CgroupPosition } from './hierarchies.ts'

/** Leaf cgroup that holds the server itself, beside those of its agents. */
const LEAF = 'carrel'
const ROUNDS = 10

/** Returns the cgroup in which a server makes others: its own, or the parent of its leaf. */
export const parentFolder = ({ version, folder, top }: CgroupPosition): string =>
  version === 'v2' && basename(folder) === LEAF && folder !== top ? dirname(folder) : folder

/**
 * Prepares a cgroup of version 2 for children with a controller. Only a cgroup without processes can be divided (except
 * the topmost of a machine), so a server that is alone in it moves into a leaf first. Safe to repeat.
 * @throws Error with the reason when other processes are in it, or the kernel refuses
 */
export async function divide(position: CgroupPosition, controller: string): Promise<void> {
  const parent = parentFolder(position)
  const shared = join(parent, 'cgroup.subtree_control')
  if (readFileSync(shared, 'utf8').trim().split(' ').includes(controller)) return
  if (isPresent(join(parent, 'cgroup.type'))) await leave(parent)
  writeFileSync(shared, `+${controller}`)
}

async function leave(parent: string): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const inside = pidsIn(parent)
    if (inside.length === 0) return
    const own = await ownProcesses()
    const others = inside.filter((pid) => !own.has(pid))
    if (others.length > 0)
      throw new Error(
        `it also contains ${others.length} other processes, such as ${others[0]}, and a cgroup with processes cannot be divided`,
      )
    mkdirSync(join(parent, LEAF), { recursive: true })
    for (const pid of inside) move(pid, join(parent, LEAF))
  }
  throw new Error('new processes entered it faster than they could be moved')
}

function move(pid: number, folder: string): void {
  try {
    writeFileSync(join(folder, 'cgroup.procs'), String(pid))
  } catch (thrown) {
    // The process ended meanwhile.
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown
  }
}

/** Returns this process, its ancestors, its descendants and processes of earlier server processes. */
async function ownProcesses(): Promise<Set<number>> {
  const table = await processTable()
  const byPid = new Map(table.map((row) => [row.pid, row]))
  const own = new Set([process.pid, ...below(process.pid, table).map(({ pid }) => pid)])
  for (let row = byPid.get(process.pid); row; row = byPid.get(row.parent)) own.add(row.pid)
  for (const { pid } of table) if (isMarked(pid)) own.add(pid)
  return own
}
