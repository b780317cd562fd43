import type { Containment } from '../process/containment.ts'

/** What an agent may do at a path, and below it until a nearer wall says otherwise. All paths are real. */
export type Wall =
  /** It may write there. `from`: the folder that it finds there. */
  | { readonly path: string; readonly may: 'write'; readonly from?: string }
  /** It may read there and nothing else. */
  | { readonly path: string; readonly may: 'read'; readonly from?: string }
  /** It may read there, though what lies around it is closed; says nothing where it is open. */
  | { readonly path: string; readonly may: 'see' }
  /** It may look at nothing there. */
  | { readonly path: string; readonly may: 'nothing'; readonly is: 'folder' | 'file' }

export interface WallPlan {
  readonly walls: readonly Wall[]
  /** A file that nobody may read: it lies over those that are closed. */
  readonly sealed: string
  /** This process is root, which in a sandbox is a user like others. */
  readonly root: boolean
  /** Null where the network is open; else what in the sandbox leads to the proxy, and stands before the command. */
  readonly relay: readonly string[] | null
}

/**
 * Everything that is not named is there to be read: `/` read-only, with /dev, /proc and process numbers of its own. Root
 * keeps one right of its many, which is needed by agents that make a sandbox of their own inside and gives nothing else there.
 */
const BASE = ['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc']
const APART = ['--unshare-pid', '--unshare-ipc', '--die-with-parent', '--cap-drop', 'ALL']
const NETWORK = ['--unshare-net']
const ROOT = ['--cap-add', 'CAP_SETFCAP']

/** A containment with walls: what stands before a command so that it can do only what the walls say. Pure. */
export function containmentOf({ walls, sealed, root, relay }: WallPlan): Containment {
  const known = nearest(walls)
  const shut = known.filter((wall) => wall.may === 'nothing' && wall.is === 'folder').map(({ path }) => path)
  const words = [
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
    wrap: ['bwrap', ...words],
    depth: relay ? 3 : 2,
    diesWithServer: true,
  }
}

/** One wall for each path, those of folders before those of what is in them: the nearer one lies on top. */
function nearest(walls: readonly Wall[]): Wall[] {
  const byPath = new Map<string, Wall>()
  for (const wall of walls) {
    const other = byPath.get(wall.path)
    if (!other || RANK[wall.may] > RANK[other.may]) byPath.set(wall.path, wall)
  }
  const all = [...byPath.values()].sort((a, b) => depthOf(a.path) - depthOf(b.path) || (a.path < b.path ? -1 : 1))
  return all.filter((wall) => wall.may !== 'see' || isClosed(around(wall.path, all)))
}

/** Of two walls for one path: what somebody works in is his, whatever else it is. */
const RANK = { see: 0, read: 1, nothing: 2, write: 3 }

function around(path: string, walls: readonly Wall[]): Wall | undefined {
  return walls.findLast((wall) => wall.path !== path && isBelow(path, wall.path))
}

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
  // Who may go on to something below may pass, and still see no names.
  const passed = all.some((other) => other.path !== path && isBelow(other.path, path))
  return ['--perms', passed ? '0111' : '0000', '--tmpfs', path]
}
