import { setTimeout as pause } from 'node:timers/promises'
import { type ProcessIdentity, type ProcessRow, processTable } from '../proc-table.ts'
import { members, signal } from './ledger.ts'

/** Running process tree by its ledger entry, also one of another process. */
export interface LiveTree {
  readonly tree: string
  readonly identity: ProcessIdentity
  /** Number of wrapper processes above the command. */
  readonly depth: number
  /** ms since 1970; compares process births with the caller's times. */
  readonly now: () => number
}

/** Returns the command itself, below its wrappers; null when it is gone. */
export const commandOf = async ({ tree, identity, depth }: LiveTree): Promise<ProcessRow | null> =>
  split(members(tree, identity, await processTable()), identity.pid, depth).command

/** Returns the processes below the command; with `bornAfterMs` only those started since (10 ms grain). */
export async function descendantsOf(live: LiveTree, filter: { bornAfterMs?: number } = {}): Promise<ProcessRow[]> {
  const { rest } = split(members(live.tree, live.identity, await processTable()), live.identity.pid, live.depth)
  const oldest = filter.bornAfterMs
  return oldest === undefined ? rest : rest.filter((row) => live.now() - row.ageMs >= oldest)
}

/** Kills the processes that a cancelled run left behind; returns their pids. The command itself stays. */
export async function killBornAfter(live: LiveTree, atMs: number): Promise<number[]> {
  const killed = new Set<number>()
  for (let found = await descendantsOf(live, { bornAfterMs: atMs }); found.length > 0 && killed.size < 10_000; ) {
    for (const row of found) {
      killed.add(row.pid)
      signal(row.pid, 'SIGKILL')
    }
    await pause(10)
    found = await descendantsOf(live, { bornAfterMs: atMs })
  }
  return [...killed]
}

/** Separates wrappers, the command (`depth` levels further in, always the oldest child) and the processes below it. */
function split(rows: readonly ProcessRow[], top: number, depth: number) {
  let command = rows.find((row) => row.pid === top) ?? null
  const wrappers = new Set<number>()
  for (let level = 0; level < depth && command; level += 1) {
    wrappers.add(command.pid)
    const parent: number = command.pid
    command =
      rows.filter((row) => row.parent === parent).toSorted((a, b) => a.startTicks - b.startTicks || a.pid - b.pid)[0] ??
      null
  }
  return { command, rest: rows.filter((row) => !wrappers.has(row.pid) && row.pid !== command?.pid && row.pid !== top) }
}
