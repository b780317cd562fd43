import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, onTestFinished } from 'vitest'
import { openCgroups } from '../../src/host/cgroups/cgroups.ts'

const cgroups = openCgroups({ path: process.env.PATH ?? '' })
const ways = [await cgroups.wayOf('memoryBytes'), await cgroups.wayOf('pids')]

/** The reason why cgroups cannot be tested on this machine; null where they can. */
export const noCgroups: string | null =
  ways.map((each) => ('obstacle' in each ? each.obstacle.why : null)).find((why) => why) ?? null

/** Skips all tests of the enclosing block on a machine without cgroups; no script of ours could create any. */
export function needCgroups(): void {
  beforeEach(({ skip }) => skip(noCgroups !== null, `only on machines with cgroups: ${noCgroups}`))
}

/** Lists all cgroups that agents of this machine have now, of any test. */
export function cgroupsNow(): string[] {
  const grounds = new Set(ways.flatMap((each) => ('way' in each ? [each.way.folder] : [])))
  return [...grounds].flatMap((folder) =>
    (existsSync(folder) ? readdirSync(folder) : [])
      .filter((name) => name.startsWith('carrel-') && !name.startsWith('carrel-try-'))
      .map((name) => join(folder, name)),
  )
}

/** Creates a stand-in for /proc/self of a machine with these files. */
export function selfWith(files: { readonly cgroup: string; readonly mountinfo: string }): string {
  const folder = mkdtempSync(join(tmpdir(), 'carrel-self-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}
