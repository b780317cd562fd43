import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { HeldLimit } from '../../model/environment.ts'
import { isAbsent, isPresent } from '../../primitives/absent-as-null.ts'
import { messageOf } from '../../primitives/message-of.ts'
import type { Setting } from './hierarchies.ts'

/** A cgroup for one agent and all that it starts, made or yet to be made. Plain data: keepers are told it and note it down. */
export interface Cgroup {
  /** One in each hierarchy that keeps a limit: one of version 2, up to two of version 1. */
  readonly folders: readonly { readonly path: string; readonly settings: readonly Setting[] }[]
  readonly limits: readonly {
    readonly limit: HeldLimit
    readonly at: number
    /** Where the kernel says how often it was reached. */
    readonly file: string
    readonly key: string
  }[]
}

/** A limit that was reached, and how often: kills for want of memory, or processes that could not be started. */
export interface Reached {
  readonly limit: HeldLimit
  readonly at: number
  readonly times: number
}

export const foldersOf = (cgroup: Cgroup): string[] => cgroup.folders.map(({ path }) => path)

/** @throws Error in words where it cannot be made; nothing of it is left then */
export function makeCgroup(cgroup: Cgroup): void {
  try {
    for (const { path, settings } of cgroup.folders) {
      mkdirSync(path)
      for (const { file, value, ifThere } of settings)
        if (!ifThere || isPresent(join(path, file))) writeFileSync(join(path, file), value)
    }
  } catch (thrown) {
    for (const path of foldersOf(cgroup)) removeFolders(path)
    const why = messageOf(thrown)
    throw new Error(`the cgroup that keeps its limits could not be made: ${why}`)
  }
}

/** Each process enters by itself and before it is anything: what it becomes and starts is inside from its first moment. */
const ENTER = 'while [ "$1" != -- ]; do echo 0 > "$1/cgroup.procs" || exit 125; shift; done; shift; exec "$@"'

/** What stands before everything else of a command to start it in a cgroup. */
export const enterWords = (cgroup: Cgroup): string[] => ['/bin/sh', '-c', ENTER, 'carrel', ...foldersOf(cgroup), '--']

/** Limits that were reached since it was made; none where it is gone. */
export function readReached({ limits }: Cgroup): Reached[] {
  return limits.flatMap(({ limit, at, file, key }) => {
    const times = numberIn(file, key)
    return times > 0 ? [{ limit, at, times }] : []
  })
}

function numberIn(file: string, key: string): number {
  try {
    const line = readFileSync(file, 'utf8')
      .split('\n')
      .find((each) => each.startsWith(`${key} `))
    return Number(line?.slice(key.length + 1) ?? 0)
  } catch {
    return 0
  }
}

const ROUNDS = 100
const PAUSE_MS = 20

/**
 * Ends what is left in these folders and takes them away; what is in a cgroup that Carrel made is an agent's. Gives up after two
 * seconds, as with a process that cannot be killed: the next start finds it by the ledger. Safe to repeat.
 */
export async function dropCgroup(folders: readonly string[]): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    if (folders.map((path) => removeFolders(path)).every((gone) => gone)) return
    for (const path of folders) killIn(path)
    await pause(PAUSE_MS)
  }
}

/** An agent with the right to it may have made others inside. */
function removeFolders(path: string): boolean {
  try {
    for (const inner of innerOf(path)) removeFolders(inner)
    rmdirSync(path)
  } catch (thrown) {
    return isAbsent(thrown)
  }
  return true
}

function killIn(path: string): void {
  for (const inner of innerOf(path)) killIn(inner)
  for (const pid of pidsIn(path)) {
    try {
      // 0 is who cannot be seen from here, and to this process it would mean its own group.
      if (pid > 0 && pid !== process.pid) process.kill(pid, 'SIGKILL')
    } catch {
      // It went by itself.
    }
  }
}

function innerOf(path: string): string[] {
  try {
    const all = readdirSync(path, { withFileTypes: true })
    return all.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name))
  } catch {
    return []
  }
}

/** Processes in a cgroup itself, not in those inside. */
export function pidsIn(path: string): number[] {
  try {
    const text = readFileSync(join(path, 'cgroup.procs'), 'utf8')
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map(Number)
  } catch {
    return []
  }
}
