import { readFileSync, readlinkSync } from 'node:fs'
import type { FilePath, FileState } from '../../model/history.ts'
import type { Blobs, Content } from './blobs.ts'
import type { Finder, Findings, Found } from './findings.ts'
import { type Eye, lookAt, type NewState, statsAt } from './look.ts'
import { diskPath, foldersAbove, namesIn } from './paths.ts'
import { FOLDER, KINDS } from './present.ts'
import type { Base } from './query.ts'
import { type Ground, scanSome } from './scan.ts'

/**
 * A view over a frozen folder (overlayfs): what its upper folder holds is exactly what was changed in it, so nothing else
 * is looked at and nothing imported. What a path was before comes from the folder below.
 */
export interface Layer extends Base {
  find(ground: Ground, finder: Finder, stateNow: (path: FilePath) => FileState | null): Promise<Findings>
  /** Content of the folder below, of a state that came from there. */
  bytes(digest: string): Buffer | null
  has(digest: string): boolean
}

export interface LayerFolders {
  readonly lower: string
  readonly upper: string
}

export function openLayer(root: string, { lower, upper }: LayerFolders, blobs: Blobs): Layer {
  const eye: Eye = { root: lower, blobs, maxFileBytes: Number.MAX_SAFE_INTEGER, racyFrom: Number.POSITIVE_INFINITY }
  const from = new Map<string, FilePath>()
  const stateBelow = (path: FilePath): NewState | null => {
    if (!isReal(lower, path)) return null
    const seen = lookAt(eye, path, null)
    return seen.what === 'changed' ? seen.state : null
  }
  /** It was only looked at: no record of it is to come. */
  const letGo = ({ content }: NewState) => content && blobs.letGo(content)
  const state = (path: FilePath): FileState | null => {
    const found = stateBelow(path)
    if (!found) return null
    const digest = found.content?.digest.toString('hex') ?? null
    if (digest) from.set(digest, path)
    letGo(found)
    return { kind: KINDS[found.kind] ?? 'file', digest, mode: found.mode, size: found.size }
  }
  return {
    state,
    below: (path) => everythingIn(lower, path),
    bytes(digest) {
      const path = from.get(digest)
      if (path === undefined) return null
      const at = diskPath(lower, path)
      return statsAt(lower, path)?.isSymbolicLink() ? readlinkSync(at, 'buffer') : readFileSync(at)
    },
    has: (digest) => from.has(digest),
    async find(ground, finder, stateNow) {
      const paths = candidates(root, { lower, upper })
      for (const path of ground.present.all().keys()) paths.add(path)
      await scanSome(ground, finder, paths)
      compareBelow(finder.findings, ground, paths, { lower, stateBelow, stateNow, letGo })
      return finder.findings
    },
  }
}

/** Whether the folders above a path are folders: a path through a link is another place's. */
const isReal = (root: string, path: FilePath): boolean =>
  foldersAbove(path).every((folder) => statsAt(root, folder)?.isDirectory() ?? false)

/** Paths that the view shows otherwise than the folder below, or may. */
function candidates(root: string, { lower, upper }: LayerFolders): Set<FilePath> {
  const paths = new Set<FilePath>()
  const folders: FilePath[] = ['']
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const inside = folder
    const pathOf = (name: string) => (inside === '' ? name : `${inside}/${name}`)
    for (const name of namesIn(upper, folder)) {
      const path = pathOf(name)
      paths.add(path)
      if (statsAt(upper, path)?.isDirectory()) folders.push(path)
    }
    // A folder that was made anew hides what is below it, and says so nowhere that one could read without privileges.
    for (const path of hiddenIn(root, lower, folder)) paths.add(path)
  }
  return paths
}

function hiddenIn(root: string, lower: string, folder: FilePath): FilePath[] {
  if (!statsAt(lower, folder)?.isDirectory() || !statsAt(root, folder)?.isDirectory()) return []
  const shown = new Set(namesIn(root, folder))
  const hidden = namesIn(lower, folder).filter((name) => !shown.has(name))
  return hidden.map((name) => (folder === '' ? name : `${folder}/${name}`))
}

function everythingIn(root: string, path: FilePath): FilePath[] {
  const found: FilePath[] = []
  const folders = statsAt(root, path)?.isDirectory() ? [path] : []
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const name of namesIn(root, folder)) {
      const one = `${folder}/${name}`
      found.push(one)
      if (statsAt(root, one)?.isDirectory()) folders.push(one)
    }
  }
  return found
}

interface Below {
  readonly lower: string
  readonly stateBelow: (path: FilePath) => NewState | null
  /** By the last capture. Only what stands there, and has no row, is still as it is below. */
  readonly stateNow: (path: FilePath) => FileState | null
  readonly letGo: (base: NewState) => void
}

/** What the walk found new is set beside the folder below: the same, another, or gone. */
function compareBelow(
  { changed, covered }: Findings,
  ground: Ground,
  paths: ReadonlySet<FilePath>,
  below: Below,
): void {
  const { lower, stateBelow, stateNow, letGo } = below
  const hidden: FilePath[] = []
  for (const [path, found] of [...changed]) {
    const base = found.known || !found.state || !stateNow(path) ? null : stateBelow(path)
    if (!base || !found.state) continue
    if (isSame(base, found.state)) {
      changed.delete(path)
      covered.set(path, found)
      letGo(base)
    } else changed.set(path, { ...found, base })
    if (base.kind === FOLDER && found.state.kind !== FOLDER) hidden.push(...everythingIn(lower, path))
  }
  for (const path of paths) {
    if (changed.has(path) || covered.has(path) || isThere(ground, path) || !isCovered(ground, path)) continue
    hidden.push(path, ...everythingIn(lower, path))
  }
  for (const path of hidden) {
    if (changed.has(path) || ground.present.get(path) || !stateNow(path)) continue
    const base = stateBelow(path)
    if (base) changed.set(path, gone(base))
  }
}

const isThere = ({ root }: Ground, path: FilePath): boolean => isReal(root, path) && statsAt(root, path) !== undefined
const isCovered = ({ ignorer }: Ground, path: FilePath): boolean => ignorer.outermost(path) === null

const gone = (base: NewState): Found => ({ known: null, state: null, stats: null, base })

const isSame = (a: NewState, b: NewState): boolean =>
  a.kind === b.kind && a.mode === b.mode && sameContent(a.content, b.content)
const sameContent = (a: Content | null, b: Content | null): boolean =>
  a === null || b === null ? a === b : a.digest.equals(b.digest)
