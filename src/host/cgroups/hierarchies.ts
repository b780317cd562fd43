import { join, resolve } from 'node:path'
import type { HeldLimit } from '../../model/environment.ts'

/** Which kernel's interface a limit is kept through. */
export type Version = 'v2' | 'v1'

/** One file of a cgroup, and what is written to it. `ifThere`: kernels may be built without it. */
export interface Setting {
  readonly file: string
  readonly value: string
  readonly ifThere?: true
}

/** How one controller is told a limit, and where it says how often that was reached. */
interface Controller {
  readonly name: string
  readonly settings: (at: number) => readonly Setting[]
  /** A file of lines `key number`, and the key. */
  readonly reached: readonly [file: string, key: string]
}

/**
 * All that differs between the versions. What would go to swap counts as memory: else a limit would only be slow. The kernel ends
 * the largest process, not all: version 1 can do nothing else, and an agent that lives on can say what became of its command.
 */
export const CONTROLLERS: Readonly<Record<Version, Readonly<Record<HeldLimit, Controller>>>> = {
  v2: {
    memoryBytes: {
      name: 'memory',
      settings: (at) => [
        { file: 'memory.max', value: String(at) },
        { file: 'memory.swap.max', value: '0', ifThere: true },
      ],
      reached: ['memory.events', 'oom_kill'],
    },
    pids: {
      name: 'pids',
      settings: (at) => [{ file: 'pids.max', value: String(at) }],
      reached: ['pids.events', 'max'],
    },
  },
  v1: {
    memoryBytes: {
      name: 'memory',
      settings: (at) => [
        { file: 'memory.limit_in_bytes', value: String(at) },
        { file: 'memory.memsw.limit_in_bytes', value: String(at), ifThere: true },
      ],
      reached: ['memory.oom_control', 'oom_kill'],
    },
    pids: {
      name: 'pids',
      settings: (at) => [{ file: 'pids.max', value: String(at) }],
      reached: ['pids.events', 'max'],
    },
  },
}

/** Where this process is in one hierarchy. */
export interface Seat {
  readonly version: Version
  /** The folder of its cgroup, and of the topmost that is to be seen. */
  readonly folder: string
  readonly top: string
  /** As the kernel names it; systemd's units are parts of it. */
  readonly path: string
}

interface Mount {
  readonly root: string
  readonly point: string
  readonly type: string
  readonly options: readonly string[]
}

/**
 * Finds where a process is, from its files `cgroup` and `mountinfo` below /proc. `controller` null: in the hierarchy of
 * version 2, which has no names. Null where it is not to be seen.
 */
export function seatIn(files: { cgroup: string; mountinfo: string }, controller: string | null): Seat | null {
  const version = controller === null ? 'v2' : 'v1'
  const path = pathIn(files.cgroup, controller)
  const mount = mountsIn(files.mountinfo).find(({ type, options }) =>
    controller === null ? type === 'cgroup2' : type === 'cgroup' && options.includes(controller),
  )
  if (path === null || !mount) return null
  // In a container the mount may show a part of the tree only, and the path be told from the top of all.
  const below = path === mount.root ? '/' : under(path, mount.root)
  return below === null ? null : { version, folder: resolve(join(mount.point, below)), top: mount.point, path }
}

/** A process in a cgroup namespace may be outside of what the mount shows: then the path climbs, and there is no way. */
function under(path: string, root: string): string | null {
  if (path.includes('/..') || root.includes('/..')) return null
  if (root === '/') return path
  return path.startsWith(`${root}/`) ? path.slice(root.length) : null
}

function pathIn(text: string, controller: string | null): string | null {
  for (const line of text.split('\n')) {
    const [, id = '', names = '', path = ''] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? []
    const fits = controller === null ? id === '0' && names === '' : names.split(',').includes(controller)
    if (path !== '' && fits) return path
  }
  return null
}

function mountsIn(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    // `30 22 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw`; fields before the dash vary in number.
    const [before = '', after = ''] = line.split(' - ')
    const [, , , root, point] = before.split(' ')
    const [type = '', , options = ''] = after.split(' ')
    if (!root || !point || !type.startsWith('cgroup')) return []
    return [{ root: plain(root), point: plain(point), type, options: options.split(',') }]
  })
}

/** The kernel writes blanks and backslashes of paths as octal numbers. */
const plain = (text: string) =>
  text.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
