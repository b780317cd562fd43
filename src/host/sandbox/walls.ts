import type { Containment } from '../process/containment.ts'

/** Rule for an agent at a path and below it, until a deeper wall differs. All paths are real. */
export type Wall =
  /** Read and write. `from`: folder that is mounted there. */
  | { readonly path: string; readonly may: 'write'; readonly from?: string }
  /** Read only. */
  | { readonly path: string; readonly may: 'read'; readonly from?: string }
  /** Read only although the folder around it is closed; no effect where it is open. */
  | { readonly path: string; readonly may: 'see' }
  /** No access. */
  | { readonly path: string; readonly may: 'nothing'; readonly is: 'folder' | 'file' }

export interface WallPlan {
  readonly walls: readonly Wall[]
  /** Unreadable file that covers the closed files. */
  readonly sealed: string
  /** True when this process is root, which is an ordinary user in a sandbox. */
  readonly root: boolean
  /** Null where the network is open; else the command prefix that starts the relay to the proxy. */
  readonly relay: readonly string[] | null
}

/**
 * Mounts `/` read-only, with own /dev, /proc and process ids: unnamed paths are readable. Root keeps one capability,
 * which agents need to make a sandbox of their own inside; it permits nothing else there.
 */
const BASE = ['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc']
const APART = ['--unshare-pid', '--unshare-ipc', '--die-with-parent', '--cap-drop', 'ALL']
const NETWORK = ['--unshare-net']
const ROOT = ['--cap-add', 'CAP_SETFCAP']

/** Returns a containment with walls: the prefix that limits a command to them. Pure. */
export function containmentOf({ walls, sealed, root, relay }: WallPlan): Containment {
  const known = nearest(walls)
  const shut = known.filter((wall) => wall.may === 'nothing' && wall.is === 'folder').map(({ path }) => path)
  const args = [
    ...BASE,
    ...known.flatMap((wall) => mountOf(wall, known, sealed)),
    ...shut.flatMap((path) => ['--remount-ro', path]),
    ...APART,
    ...(root ? ROOT : []),
    ...(relay ? NETWORK : []),
    '--',
    ...(relay ?? []),
  ]
  return {
    kind: 'bubblewrap',
    detail: 'Each agent runs in a sandbox (bubblewrap).',
    limits: [],
    wrap: ['bwrap', ...args],
    depth: relay ? 3 : 2,
    diesWithServer: true,
  }
}

/** Returns one wall for each path, folders before their content, so that deeper walls are mounted on top. */
function nearest(walls: readonly Wall[]): Wall[] {
  const byPath = new Map<string, Wall>()
  for (const wall of walls) {
    const other = byPath.get(wall.path)
    if (!other || RANK[wall.may] > RANK[other.may]) byPath.set(wall.path, wall)
  }
  const all = [...byPath.values()].sort((a, b) => depthOf(a.path) - depthOf(b.path) || (a.path < b.path ? -1 : 1))
  return all.filter((wall) => wall.may !== 'see' || isClosed(around(wall.path, all)))
}

/** Priority among walls of one path: write access to the place of work always wins. */
const RANK = { see: 0, read: 1, nothing: 2, write: 3 }

const around = (path: string, walls: readonly Wall[]): Wall | undefined =>
  walls.findLast((wall) => wall.path !== path && isBelow(path, wall.path))

const isClosed = (wall: Wall | undefined) =>
  wall?.may === 'nothing' || (wall?.may === 'write' && wall.from !== undefined)

export const isBelow = (path: string, folder: string) =>
  path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)
const depthOf = (path: string) => path.split('/').length

function mountOf(wall: Wall, all: readonly Wall[], sealed: string): string[] {
  const { path } = wall
  if (wall.may === 'write') return ['--bind', wall.from ?? path, path]
  if (wall.may === 'see') return ['--ro-bind', path, path]
  if (wall.may === 'read') return ['--ro-bind', wall.from ?? path, path]
  if (wall.is === 'file') return ['--ro-bind', sealed, path]
  // A folder around an accessible path may be passed, but its names stay hidden.
  const passed = all.some((other) => other.path !== path && isBelow(other.path, path))
  return ['--perms', passed ? '0111' : '0000', '--tmpfs', path]
}
