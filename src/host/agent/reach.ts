import { lstat, readlink } from 'node:fs/promises'
import { isAbsolute, join, sep } from 'node:path'
import { isAbsent } from '../../primitives/absent-as-null.ts'
import { insideRoots } from '../folders.ts'
import type { AgentPlace, PlaceView } from './contract.ts'

/** File of a place under both its names, all links resolved. */
export interface ResolvedPath {
  /** Path for this process. */
  readonly real: string
  /** Path for the agent. */
  readonly seen: string
}

/** Same limit as in Linux. */
const MAX_LINKS = 40

/** Returns a function that resolves a path of the agent inside the roots of its place; null outside. */
export function reachOf({ roots, view }: AgentPlace): (path: string) => Promise<ResolvedPath | null> {
  if (view) return (path) => insideView(path, view, roots)
  return async (path) => {
    const real = await insideRoots(path, roots)
    return real === null ? null : { real, seen: real }
  }
}

/**
 * Applies the rules of `insideRoots` to a view in its own namespace. Links are followed by hand, because the system
 * would resolve them in this process's namespace. A link out of the view is refused; an absolute one is resolved as the
 * agent sees it. For a path that does not exist yet, the nearest existing folder decides.
 */
async function insideView(path: string, view: PlaceView, roots: readonly string[]): Promise<ResolvedPath | null> {
  const parts = partsBelow(path, view.path)
  const way = parts === null || parts.includes('..') ? null : await walk(parts, view)
  if (way === null) return null
  const seen = join(view.path, ...way)
  const within = roots.some((root) => partsBelow(seen, root) !== null)
  return within ? { real: join(view.root, ...way), seen } : null
}

async function walk(parts: readonly string[], view: PlaceView): Promise<string[] | null> {
  const todo = [...parts]
  const way: string[] = []
  let links = 0
  /** With this many parts left or more, the part comes from a link's target. */
  let ofLink = Number.POSITIVE_INFINITY
  for (let part = todo.shift(); part !== undefined; part = todo.shift()) {
    if (part === '..') {
      if (way.pop() === undefined) return null
      continue
    }
    const at = join(view.root, ...way, part)
    const found = await lstat(at).catch((cause: NodeJS.ErrnoException) => cause)
    if (found instanceof Error) {
      // A write would follow the dangling link.
      if (!isAbsent(found) || todo.length >= ofLink || todo.includes('..')) return null
      return [...way, part, ...todo]
    }
    if (!found.isSymbolicLink()) {
      // Nothing can be below a file.
      if (todo.length > 0 && !found.isDirectory()) return null
      way.push(part)
      continue
    }
    links += 1
    const target = await readlink(at)
    const next = isAbsolute(target) ? partsBelow(target, view.path) : target.split(sep).filter(meant)
    if (next === null || links > MAX_LINKS) return null
    if (isAbsolute(target)) way.length = 0
    ofLink = Math.min(ofLink, todo.length)
    todo.unshift(...next)
  }
  return way
}

/** Returns the parts of `path` below `top`, none for `top` itself; null outside. */
function partsBelow(path: string, top: string): string[] | null {
  if (!isAbsolute(path) || path.includes('\0')) return null
  const whole = path.split(sep).filter(meant)
  const above = top.split(sep).filter(meant)
  return above.every((part, index) => whole[index] === part) ? whole.slice(above.length) : null
}

const meant = (part: string) => part !== '' && part !== '.'
