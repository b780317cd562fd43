import { lstat, readlink } from 'node:fs/promises'
import { delimiter, dirname, isAbsolute, join, relative, sep } from 'node:path'
import { CarrelError } from '../../model/errors.ts'
import { isAbsent } from '../../primitives/absent-as-null.ts'
import { insideRoots } from '../folders.ts'
import { checkRoot, type HeldFolder, holdBelow, holdRoot } from '../root-folder.ts'
import type { AgentLaunch, AgentPlace, PlaceView } from './contract.ts'
import { INVALID_PARAMS, WireError } from './wire.ts'

/** File of a place under both its names, all links resolved. */
export interface ResolvedPath {
  /** Path for this process. */
  readonly real: string
  /** Root that it lies in, for this process. */
  readonly root: string
  /** Path for the agent. */
  readonly seen: string
}

/** Same limit as in Linux. */
const MAX_LINKS = 40

/**
 * Resolves a path of the agent inside the roots of its place. A folder that was put in the place of its working folder,
 * also behind a link, is never used (F8).
 * @throws WireError for a path outside, and for a working folder that is missing or was replaced
 */
export async function resolveInside(path: unknown, place: AgentPlace): Promise<ResolvedPath> {
  const found = await insidePlace(path, place)
  if (found) return found
  throw outside(path)
}

/** The files beside a place that the agent reaches by itself, so that Carrel serves them too. */
export interface Beside {
  /** No sandbox: the agent reads what its user may read. */
  readonly readsAll: boolean
  /** The agent's own folders, which it may write. */
  readonly own: readonly string[]
  /** Folders whose programs others run: never written. */
  readonly programs: readonly string[]
}

/** Returns the files that an agent of this launch reaches beside its place. */
export const besideOf = ({ sandbox, ownPaths = [], env }: AgentLaunch): Beside => ({
  readsAll: !sandbox,
  own: ownPaths.filter((path) => path.endsWith('/')).map((path) => path.slice(0, -1)),
  programs: (env.PATH ?? '').split(delimiter).filter(isAbsolute),
})

/** Resolves a path to read: inside the place, or wherever the agent reads by itself. @throws WireError */
export async function resolveRead(path: unknown, place: AgentPlace, beside: Beside): Promise<ResolvedPath> {
  const found = (await insidePlace(path, place)) ?? (await ownPath(path, place, beside))
  if (found) return found
  if (!beside.readsAll || typeof path !== 'string' || !isAbsolute(path) || isInView(path, place)) throw outside(path)
  return { real: path, root: sep, seen: path }
}

/** Resolves a path to write: inside the place, or in a folder that is the agent's own. @throws WireError */
export async function resolveWrite(path: unknown, place: AgentPlace, beside: Beside): Promise<ResolvedPath> {
  const inside = await insidePlace(path, place)
  if (inside) return inside
  const own = await ownPath(path, place, beside)
  if (own && !(await insideRoots(own.real, beside.programs))) return own
  throw outside(path)
}

async function ownPath(path: unknown, place: AgentPlace, { own }: Beside): Promise<ResolvedPath | null> {
  if (typeof path !== 'string' || isInView(path, place)) return null
  const found = await insideRoots(path, own)
  return found && { ...found, seen: found.real }
}

/** A path in a view means another file for this process. */
const isInView = (path: string, { view }: AgentPlace): boolean => !!view && partsBelow(path, view.path) !== null

async function insidePlace(path: unknown, { cwd, roots, view, identity }: AgentPlace): Promise<ResolvedPath | null> {
  if (typeof path !== 'string') throw new WireError(INVALID_PARAMS, 'The path must be text.')
  if (view) return await insideView(path, view, roots)
  orRefused(() => checkRoot(cwd, identity?.() ?? null))
  const found = await insideRoots(path, roots)
  return found && { ...found, seen: found.real }
}

/**
 * Holds the folder of a resolved path, and makes missing folders on the way to it. No link is followed, so that a folder
 * that became a link since the path was resolved is refused.
 * @throws WireError for such a link, and for a working folder that is missing or was replaced
 */
export function holdFolderOf({ real, root, seen }: ResolvedPath, { cwd, identity }: AgentPlace): HeldFolder {
  const top = orRefused(() => holdRoot(root, root === cwd ? (identity?.() ?? null) : null))
  try {
    const folder = holdBelow(top, relative(root, dirname(real)).split(sep).filter(meant))
    if (folder) return folder
  } finally {
    top.release()
  }
  throw outside(seen)
}

const outside = (path: unknown): WireError =>
  new WireError(INVALID_PARAMS, `${path} is outside the folders of this session.`)

function orRefused<T>(work: () => T): T {
  try {
    return work()
  } catch (thrown) {
    throw thrown instanceof CarrelError ? new WireError(INVALID_PARAMS, thrown.message) : thrown
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
  return within ? { real: join(view.root, ...way), root: view.root, seen } : null
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
