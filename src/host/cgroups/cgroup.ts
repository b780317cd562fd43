import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { HeldLimit } from '../../model/settings/environment.ts'
import { isAbsent, isPresent } from '../../primitives/absent-as-null.ts'
import { messageOf } from '../../primitives/message-of.ts'
import type { Setting } from './hierarchies.ts'

/** Cgroup for one agent and its descendants, made or planned. Plain data: keepers receive it and store it. */
export interface Cgroup {
  /** One folder for each hierarchy that enforces a limit: one of version 2, up to two of version 1. */
  readonly folders: readonly { readonly path: string; readonly settings: readonly Setting[] }[]
  readonly limits: readonly {
    readonly limit: HeldLimit
    readonly at: number
    /** File in which the kernel counts how often the limit was reached. */
    readonly file: string
    readonly key: string
  }[]
}

/** Limit that was reached, and how often: OOM kills, or processes that could not start. */
export interface LimitReached {
  readonly limit: HeldLimit
  readonly at: number
  readonly times: number
}

export const foldersOf = (cgroup: Cgroup): string[] => cgroup.folders.map(({ path }) => path)

/** Makes the folders and writes their limits. @throws Error with the reason; no folder is left then */
export function makeCgroup(cgroup: Cgroup): void {
  try {
    for (const { path, settings } of cgroup.folders) {
      mkdirSync(path)
      for (const { file, value, ifThere } of settings)
        if (!ifThere || isPresent(join(path, file))) writeFileSync(join(path, file), value)
    }
  } catch (thrown) {
    for (const path of foldersOf(cgroup)) removeFolders(path)
    throw new Error(`the cgroup for its limits could not be made: ${messageOf(thrown)}`)
  }
}

/** The process enters the cgroup before it executes the command, so every descendant is inside. */
const ENTER = 'while [ "$1" != -- ]; do echo 0 > "$1/cgroup.procs" || exit 125; shift; done; shift; exec "$@"'

/** Returns the prefix of a command that starts it in a cgroup. */
export const enterCommand = (cgroup: Cgroup): string[] => ['/bin/sh', '-c', ENTER, 'carrel', ...foldersOf(cgroup), '--']

/** Returns the limits reached since the cgroup was made; none when it is gone. */
export function readReached({ limits }: Cgroup): LimitReached[] {
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
 * Kills all processes in these folders and removes them; every process in a cgroup of Carrel belongs to an agent. Gives
 * up after two seconds, for example on an unkillable process: the next start finds it by the ledger. Safe to repeat.
 */
export async function dropCgroup(folders: readonly string[]): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    if (folders.map((path) => removeFolders(path)).every((gone) => gone)) return
    for (const path of folders) killIn(path)
    await pause(PAUSE_MS)
  }
}

/** An agent with the right to do so may have made inner cgroups. */
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
      // 0 is a process that is invisible from here; kill(0) would hit this process group.
      if (pid > 0 && pid !== process.pid) process.kill(pid, 'SIGKILL')
    } catch {
      // The process ended meanwhile.
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

/** Returns the processes in the cgroup itself, without inner cgroups. */
export function pidsIn(path: string): number[] {
  try {
    return readFileSync(join(path, 'cgroup.procs'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map(Number)
  } catch {
    return []
  }
}
