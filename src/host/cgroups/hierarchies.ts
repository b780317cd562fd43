import { join, resolve } from 'node:path'
import type { HeldLimit } from '../../model/settings/environment.ts'

/** Version of the kernel's cgroup interface. */
export type CgroupVersion = 'v2' | 'v1'

/** File of a cgroup and the value to write. `ifThere`: some kernels are built without this file. */
export interface Setting {
  readonly file: string
  readonly value: string
  readonly ifThere?: true
}

/** Settings of one controller for a limit, and the counter for how often the limit was reached. */
interface Controller {
  readonly name: string
  readonly settings: (at: number) => readonly Setting[]
  /** File with lines `key number`, and the key. */
  readonly reached: readonly [file: string, key: string]
}

/**
 * All differences between the versions. Swap counts as memory; otherwise a limit would only make programs slow. The
 * kernel kills the largest process, not all: version 1 cannot do otherwise, and a surviving agent can report the death
 * of its command.
 */
export const CONTROLLERS: Readonly<Record<CgroupVersion, Readonly<Record<HeldLimit, Controller>>>> = {
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

/** Position of this process in one hierarchy. */
export interface CgroupPosition {
  readonly version: CgroupVersion
  /** Folder of its cgroup, and the topmost visible folder. */
  readonly folder: string
  readonly top: string
  /** Path as the kernel names it; systemd units are parts of it. */
  readonly path: string
}

interface Mount {
  readonly root: string
  readonly point: string
  readonly type: string
  readonly options: readonly string[]
}

/**
 * Finds a process's position by its files in /proc. `controller` null: version 2. Returns null where it is invisible.
 */
export function positionIn(
  files: { cgroup: string; mountinfo: string },
  controller: string | null,
): CgroupPosition | null {
  const version = controller === null ? 'v2' : 'v1'
  const path = pathIn(files.cgroup, controller)
  const mount = mountsIn(files.mountinfo).find(({ type, options }) =>
    controller === null ? type === 'cgroup2' : type === 'cgroup' && options.includes(controller),
  )
  if (path === null || !mount) return null
  // In a container the mount may show only a part of the tree, while the path starts at the real root.
  const below = path === mount.root ? '/' : under(path, mount.root)
  return below === null ? null : { version, folder: resolve(join(mount.point, below)), top: mount.point, path }
}

/** Returns the path below `root`. Outside of a mount's cgroup namespace it has `..` and leads nowhere. */
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
    // `30 22 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw`; the number of fields before the dash varies.
    const [before = '', after = ''] = line.split(' - ')
    const [, , , root, point] = before.split(' ')
    const [type = '', , options = ''] = after.split(' ')
    if (!root || !point || !type.startsWith('cgroup')) return []
    return [{ root: plain(root), point: plain(point), type, options: options.split(',') }]
  })
}

/** The kernel writes spaces and backslashes in paths as octal numbers. */
const plain = (text: string) =>
  text.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
