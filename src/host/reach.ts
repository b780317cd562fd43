import { lstat, readlink } from 'node:fs/promises'
import { isAbsolute, join, sep } from 'node:path'
import { isAbsent } from '../primitives/absent-as-null.ts'
import type { AgentPlace, AgentView } from './agent/contract.ts'
import { insideRoots } from './folders.ts'

/** One file of a place under both its names, all links resolved. */
export interface Reached {
  /** For this process. */
  readonly real: string
  /** As the agent names it. */
  readonly seen: string
}

/** Like Linux itself. */
const MAX_LINKS = 40

/** Says where a path of the agent's leads, if that is inside the roots of its place; null if not. */
export function reachOf({ roots, view }: AgentPlace): (path: string) => Promise<Reached | null> {
  if (view) return (path) => insideView(path, view, roots)
  return async (path) => {
    const real = await insideRoots(path, roots)
    return real === null ? null : { real, seen: real }
  }
}

/**
 * The rules of `insideRoots` for a view in a namespace of its own. There the links must be followed by hand: the
 * system would resolve them in the namespace of this process, where they lead elsewhere. A link that leads out of the view
 * is refused, absolute ones are taken as the agent would take them, and what does not exist yet is judged by the
 * nearest folder that does.
 */
async function insideView(path: string, view: AgentView, roots: readonly string[]): Promise<Reached | null> {
  const parts = partsBelow(path, view.path)
  const way = parts === null || parts.includes('..') ? null : await walk(parts, view)
  if (way === null) return null
  const seen = join(view.path, ...way)
  const within = roots.some((root) => partsBelow(seen, root) !== null)
  return within ? { real: join(view.root, ...way), seen } : null
}

async function walk(parts: readonly string[], view: AgentView): Promise<string[] | null> {
  const todo = [...parts]
  const way: string[] = []
  let links = 0
  /** With so many parts still to go or more, a part comes from the target of a link. */
  let ofLink = Number.POSITIVE_INFINITY
  for (let part = todo.shift(); part !== undefined; part = todo.shift()) {
    if (part === '..') {
      if (way.pop() === undefined) return null
      continue
    }
    const at = join(view.root, ...way, part)
    const found = await lstat(at).catch((cause: NodeJS.ErrnoException) => cause)
    if (found instanceof Error) {
      // Writing would follow a link to nowhere.
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

/** The parts of `path` below `top`, none for `top` itself; null when it is elsewhere. */
function partsBelow(path: string, top: string): string[] | null {
  if (!isAbsolute(path) || path.includes('\0')) return null
  const whole = path.split(sep).filter(meant)
  const above = top.split(sep).filter(meant)
  return above.every((part, index) => whole[index] === part) ? whole.slice(above.length) : null
}

const meant = (part: string) => part !== '' && part !== '.'
