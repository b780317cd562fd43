import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { absentAsNullSync } from '../../primitives/absent-as-null.ts'
import { dropCgroup } from '../cgroups/cgroup.ts'
import { below, bootId, marked, type ProcessIdentity, type ProcessRow, processTable, stillRuns } from '../proc-table.ts'

/** Live process tree, as stored on disk. `identity` is null between the intent and the start. */
export interface LedgerEntry {
  readonly tree: string
  readonly label: string
  readonly bootId: string
  readonly identity: ProcessIdentity | null
  /** Folders of the cgroup that was made for the tree. */
  readonly cgroup?: readonly string[]
}

export interface EndedTree {
  readonly tree: string
  readonly label: string
  /** Killed pids; empty when the tree had already ended. */
  readonly killed: readonly number[]
}

const SWEEP_ROUNDS = 100
const SWEEP_PAUSE_MS = 20

/** Writes or replaces the entry of a tree. Synchronous, because it must be on disk before the child may act. */
export function writeEntry(folder: string, entry: LedgerEntry): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = entryPath(folder, entry.tree)
  writeFileSync(`${path}.new`, JSON.stringify(entry), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** Removes the entry of a tree. Safe to repeat. */
export function removeEntry(folder: string, tree: string): void {
  rmSync(entryPath(folder, tree), { force: true })
}

/**
 * Kills every tree that an earlier server left behind (P1). Call it once at start, under the lock of the data folder,
 * before anything is spawned. A process is killed only if it matches the recorded identity, descends from that process
 * or carries its mark. A recycled pid is never killed. Trees in `spared` are left alone. Safe to repeat.
 */
export async function sweepLedger(folder: string, spared: ReadonlySet<string> = new Set()): Promise<EndedTree[]> {
  const entries = readEntries(folder).filter(({ tree }) => !spared.has(tree))
  return await Promise.all(
    entries.map(async (entry) => {
      const identity = entry.bootId === bootId() ? entry.identity : null
      const killed = entry.bootId === bootId() ? await killTree(entry.tree, identity) : []
      if (entry.cgroup) await dropCgroup(entry.cgroup)
      removeEntry(folder, entry.tree)
      return { tree: entry.tree, label: entry.label, killed }
    }),
  )
}

/**
 * Kills a tree and waits until no process of it runs: the root, its descendants, its group, and all that carry its
 * mark. Repeats until none is found, because a tree may grow meanwhile. Returns the killed pids. Gives up after two
 * seconds, which only an unkillable process causes.
 */
export async function killTree(tree: string, identity: ProcessIdentity | null): Promise<number[]> {
  const killed = new Set<number>()
  for (let round = 0; round < SWEEP_ROUNDS; round += 1) {
    const found = members(tree, identity, await processTable())
    if (found.length === 0) break
    for (const row of found) {
      killed.add(row.pid)
      signal(row.pid, 'SIGKILL')
    }
    await pause(SWEEP_PAUSE_MS)
  }
  return [...killed]
}

/** Returns the live processes of a tree in `table`. */
export function members(tree: string, identity: ProcessIdentity | null, table: readonly ProcessRow[]): ProcessRow[] {
  const found = new Map<number, ProcessRow>()
  const roots = identity && stillRuns(identity, table) ? table.filter((row) => row.pid === identity.pid) : []
  for (const row of [...roots, ...marked(tree, table)]) {
    found.set(row.pid, row)
    for (const child of below(row.pid, table)) found.set(child.pid, child)
  }
  // A group outlives its leader, and its number is not reused while it has members.
  if (roots.length > 0) for (const row of table) if (row.group === identity?.pid) found.set(row.pid, row)
  return [...found.values()].filter((row) => !row.zombie && row.pid !== process.pid)
}

/** Sends a signal; false when the process no longer exists. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

const entryPath = (folder: string, tree: string): string => join(folder, `${tree}.json`)

function readEntries(folder: string): LedgerEntry[] {
  const names = absentAsNullSync(() => readdirSync(folder)) ?? []
  return names.flatMap((name) => {
    if (!name.endsWith('.json')) return []
    try {
      return [JSON.parse(readFileSync(join(folder, name), 'utf8')) as LedgerEntry]
    } catch {
      // A full disk left half an entry: the file name still has the mark.
      return [{ tree: name.slice(0, -5), label: 'unknown', bootId: bootId(), identity: null }]
    }
  })
}
