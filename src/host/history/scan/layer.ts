import { readFileSync, readlinkSync } from 'node:fs'
import type { FilePath, FileState } from '../../../model/files/history.ts'
import type { Blobs, Content } from '../log/blobs.ts'
import { diskPath, foldersAbove, namesIn } from '../log/paths.ts'
import { FOLDER, KINDS } from '../log/present.ts'
import type { Base } from '../log/query.ts'
import type { Finder, Findings, Found } from './findings.ts'
import { type InspectOptions, inspectPath, type NewState, statsAt } from './inspect.ts'
import { type ScanContext, scanSome } from './scan.ts'

/** View over a frozen folder. Only its upper folder is scanned; earlier states come from the frozen one. */
export interface OverlayLayer extends Base {
  find(context: ScanContext, finder: Finder, stateNow: (path: FilePath) => FileState | null): Promise<Findings>
  /** Returns content of the frozen folder by the digest of a state from there. */
  bytes(digest: string): Buffer | null
  has(digest: string): boolean
}

export interface LayerFolders {
  readonly lower: string
  readonly upper: string
}

export function openLayer(root: string, { lower, upper }: LayerFolders, blobs: Blobs): OverlayLayer {
  const options: InspectOptions = {
    root: lower,
    blobs,
    maxFileBytes: Number.MAX_SAFE_INTEGER,
    racyFrom: Number.POSITIVE_INFINITY,
  }
  const from = new Map<string, FilePath>()
  const stateBelow = (path: FilePath): NewState | null => {
    if (!isReal(lower, path)) return null
    const seen = inspectPath(options, path, null)
    return seen.what === 'changed' ? seen.state : null
  }
  /** Drops content that was only inspected and will not be recorded. */
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
    async find(context, finder, stateNow) {
      const paths = candidates(root, { lower, upper })
      for (const path of context.present.all().keys()) paths.add(path)
      await scanSome(context, finder, paths)
      compareBelow(finder.findings, context, paths, { lower, stateBelow, stateNow, letGo })
      return finder.findings
    },
  }
}

/** Whether all folders above a path are real folders: a path through a link belongs elsewhere. */
const isReal = (root: string, path: FilePath): boolean =>
  foldersAbove(path).every((folder) => statsAt(root, folder)?.isDirectory() ?? false)

/** Returns the paths that may differ between the view and the frozen folder. */
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
    // A recreated folder hides the files below it, and its mark is unreadable without privileges.
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
  /** State by the last capture. Only an existing path without a row still equals the frozen folder. */
  readonly stateNow: (path: FilePath) => FileState | null
  readonly letGo: (base: NewState) => void
}

/** Compares new findings of the walk with the frozen folder: the same, different or gone. */
function compareBelow(
  { changed, covered }: Findings,
  context: ScanContext,
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
    if (changed.has(path) || covered.has(path) || isThere(context, path)) continue
    if (context.ignorer.outermost(path, stateNow(path)?.kind === 'folder') !== null) continue
    hidden.push(path, ...everythingIn(lower, path))
  }
  for (const path of hidden) {
    const now = changed.has(path) || context.present.get(path) ? null : stateNow(path)
    if (!now || now.uncovered) continue
    const base = stateBelow(path)
    if (base) changed.set(path, gone(base))
  }
}

const isThere = ({ root }: ScanContext, path: FilePath): boolean =>
  isReal(root, path) && statsAt(root, path) !== undefined

const gone = (base: NewState): Found => ({ known: null, state: null, stats: null, base })

const isSame = (a: NewState, b: NewState): boolean =>
  a.kind === b.kind && a.mode === b.mode && sameContent(a.content, b.content)
const sameContent = (a: Content | null, b: Content | null): boolean =>
  a === null || b === null ? a === b : a.digest.equals(b.digest)
