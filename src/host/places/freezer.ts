import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { absentAsNullSync, isPresent } from '../../primitives/absent-as-null.ts'
import { copyTree, type TreeEntry, walkTree } from './tree-copy.ts'

/** Task of a freezing thread: a base in `bases`, a plain copy with a list, or the changes of such a copy. */
export type Freezing =
  | { readonly source: string; readonly bases: string }
  | { readonly source: string; readonly copy: string; readonly list: string }
  | { readonly changedIn: string; readonly list: string }

/** Base or copy, with notes for people. */
export interface Frozen {
  readonly folder: string
  readonly notes: readonly string[]
}

export type FromFreezer = { readonly progress: string } | { readonly done: Frozen | readonly string[] }

/** Prefix of unfinished base folders. */
export const UNFINISHED = '.new-'

const MANIFEST = 'manifest'
const SOURCE = 'source'

/** Returns the tree of a base. */
export const treeOf = (base: string) => join(base, 'tree')

/** Returns a base of the folder now. Bases never change, so a new one shares unchanged files with the last. */
export function freeze(source: string, bases: string, onProgress: (text: string) => void): Frozen {
  onProgress(`Looking at ${source}.`)
  const { entries, notes } = walkTree(source)
  const standing = join(bases, fingerprint(source, keysOf(entries)))
  if (isWhole(standing)) return { folder: standing, notes }
  const folder = join(bases, `${UNFINISHED}${randomUUID()}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  try {
    const earlier = earlierOf(source, bases)
    const copy = { from: source, to: treeOf(folder), earlier, onProgress: counted(onProgress) }
    const { keys, notes: more } = copyTree(copy, entries)
    writeFileSync(join(folder, SOURCE), source)
    writeList(join(folder, MANIFEST), keys)
    const final = join(bases, fingerprint(source, keys))
    if (isWhole(final)) rmSync(folder, { recursive: true, force: true })
    else renameSync(folder, final)
    return { folder: final, notes: [...notes, ...more] }
  } catch (thrown) {
    rmSync(folder, { recursive: true, force: true })
    throw thrown
  }
}

/** Copies the folder in its present state without sharing, and lists the content. */
export function copyWhole(
  source: string,
  to: { copy: string; list: string },
  onProgress: (text: string) => void,
): Frozen {
  onProgress(`Looking at ${source}.`)
  const { entries, notes } = walkTree(source)
  const more = copyTree({ from: source, to: to.copy, earlier: null, onProgress: counted(onProgress) }, entries).notes
  writeList(to.list, keysOf(walkTree(to.copy).entries))
  return { folder: to.copy, notes: [...notes, ...more] }
}

/** Returns the paths of a copy that changed since it was made. */
export function changedInCopy(copy: string, list: string): string[] {
  const before = readList(list)
  const now = keysOf(walkTree(copy).entries)
  const paths = new Set([...before.keys(), ...now.keys()])
  const changed = [...paths].filter((path) => before.get(path) !== now.get(path))
  return changed.map((path) => Buffer.from(path, 'latin1').toString('utf8')).sort()
}

function counted(onProgress: (text: string) => void) {
  return (done: number, all: number) => onProgress(`Freezing: ${done} of ${all} files.`)
}

/** Returns the newest base of this folder with its file states. Files that changed during its making never match. */
function earlierOf(source: string, bases: string): { tree: string; keys: Map<string, string> } | null {
  const [newest] = readdirSync(bases)
    .map((name) => join(bases, name))
    .filter((folder) => readText(folder, SOURCE) === source && isWhole(folder))
    .sort((a, b) => statSync(join(b, MANIFEST)).mtimeMs - statSync(join(a, MANIFEST)).mtimeMs)
  if (newest === undefined) return null
  return { tree: treeOf(newest), keys: readList(join(newest, MANIFEST)) }
}

function writeList(path: string, keys: ReadonlyMap<string, string>): void {
  writeFileSync(path, [...keys].flat().join('\0'), 'latin1')
}

function readList(path: string): Map<string, string> {
  const parts = readFileSync(path, 'latin1').split('\0')
  const keys = new Map<string, string>()
  for (let at = 0; at + 1 < parts.length; at += 2) keys.set(parts[at] as string, parts[at + 1] as string)
  return keys
}

function keysOf(entries: readonly TreeEntry[]): Map<string, string> {
  return new Map(entries.map(({ path, key }) => [path, key]))
}

function fingerprint(source: string, keys: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256').update(`${source}\0${statSync(source).mode}\0`)
  for (const [path, key] of keys) hash.update(`${path}\0${key}\0`, 'latin1')
  return hash.digest('hex').slice(0, 32)
}

/** Whether a base is complete: its list is written last. */
const isWhole = (base: string) => isPresent(join(base, MANIFEST))

function readText(folder: string, name: string): string | null {
  return absentAsNullSync(() => readFileSync(join(folder, name), 'utf8'))
}

const ask = (workerData as { carrelFreezing?: Freezing } | null)?.carrelFreezing
if (parentPort && ask) {
  const port = parentPort
  const send = (message: FromFreezer) => port.postMessage(message)
  send({ done: answer(ask, (progress) => send({ progress })) })
}

function answer(asked: Freezing, onProgress: (text: string) => void): Frozen | string[] {
  if ('changedIn' in asked) return changedInCopy(asked.changedIn, asked.list)
  if ('bases' in asked) return freeze(asked.source, asked.bases, onProgress)
  return copyWhole(asked.source, asked, onProgress)
}
