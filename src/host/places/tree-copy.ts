import {
  chmodSync,
  constants,
  copyFileSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
} from 'node:fs'
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import { isAbsent } from '../../primitives/absent-as-null.ts'

/** Entry of a folder. Names are bytes: a path has one latin1 character for each byte. */
export interface TreeEntry {
  readonly path: string
  readonly kind: 'file' | 'link' | 'folder'
  /** Key that changes with the entry. For folders it excludes the times, which depend on their content. */
  readonly key: string
  readonly stats: Stats
}

interface Stats {
  readonly size: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Seconds. */
  readonly atime: number
  readonly mtime: number
  readonly ctimeMs: number
}

/** Entries of a walk, and notes on left out or shared ones, in sentences with counts. */
export interface Walked {
  readonly entries: readonly TreeEntry[]
  readonly notes: readonly string[]
}

const MAX_TRIES = 5
/** Grain of the kernel's clock for file times. ms. */
const GRAIN_MS = 100
const LATIN1 = { withFileTypes: true, encoding: 'latin1' } as const

/** Lists everything below a folder by `lstat`, parents before their content, in a stable order. */
export function walkTree(top: string): Walked {
  const entries: TreeEntry[] = []
  const left = { special: [] as string[], unreadable: [] as string[], git: [] as string[], out: [] as string[] }
  const visit = (folder: string) => {
    for (const { name } of listed(top, folder, left.unreadable)) {
      const path = folder === '' ? name : `${folder}/${name}`
      const found = entryAt(top, path)
      if (found === 'special') left.special.push(path)
      else if (found && name === '.git' && leadsOut(top, found, 'git')) left.git.push(path)
      else if (found) {
        entries.push(found)
        if (found.kind === 'link' && leadsOut(top, found, 'link')) left.out.push(path)
        if (found.kind === 'folder') visit(path)
      }
    }
  }
  visit('')
  return { entries, notes: notesOf(left) }
}

function listed(top: string, folder: string, unreadable: string[]) {
  try {
    return readdirSync(onDisk(top, folder), LATIN1).sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (folder === '') throw cause
    if (code === 'EACCES') unreadable.push(folder)
    // The folder was removed after its parent was listed.
    if (code === 'EACCES' || isAbsent(cause)) return []
    throw cause
  }
}

function entryAt(top: string, path: string): TreeEntry | 'special' | null {
  const found = lstatSync(onDisk(top, path), { throwIfNoEntry: false })
  if (!found) return null
  const kind = found.isFile() ? 'file' : found.isDirectory() ? 'folder' : found.isSymbolicLink() ? 'link' : null
  if (kind === null) return 'special'
  const { ino, mode, uid, gid, size, mtimeMs, ctimeMs } = found
  const own = `${kind} ${ino} ${mode} ${uid} ${gid}`
  const key = kind === 'folder' ? own : `${own} ${size} ${mtimeMs} ${ctimeMs}`
  const stats = { size, mode: mode & 0o7777, uid, gid, atime: found.atimeMs / 1000, mtime: mtimeMs / 1000, ctimeMs }
  return { path, kind, key, stats }
}

/** Whether a link, or a `.git` file that names its folder, leads outside of `top`. */
function leadsOut(top: string, { path, kind, stats }: TreeEntry, as: 'git' | 'link'): boolean {
  const at = onDisk(top, path)
  let target: string | undefined
  if (kind === 'link') target = readlinkSync(at)
  else if (as === 'git' && kind === 'file' && stats.size < 65_536)
    target = /^gitdir: (.+)$/s.exec(readFileSync(at, 'utf8').trim())?.[1]
  if (target === undefined) return false
  // An absolute target leads to the folder itself, not to the copy.
  if (isAbsolute(target)) return true
  const way = relative(top, resolve(dirname(resolve(top, path)), target))
  return way === '..' || way.startsWith(`..${sep}`)
}

/** Copy under way: source, target, and a complete earlier copy whose files may be shared. */
export interface TreeCopy {
  readonly from: string
  readonly to: string
  readonly earlier: { readonly tree: string; readonly keys: ReadonlyMap<string, string> } | null
  readonly onProgress: (done: number, all: number) => void
}

export interface Copied {
  /** State of each copied entry by path; an entry that changed meanwhile gets a key that never matches. */
  readonly keys: Map<string, string>
  readonly notes: readonly string[]
}

/** Copies a walk's entries with modes and times. Changing files are copied again, unchanged ones hard-linked. */
export function copyTree(copy: TreeCopy, entries: readonly TreeEntry[]): Copied {
  const keys = new Map<string, string>()
  const unsteady: string[] = []
  const unreadable: string[] = []
  mkdirSync(copy.to, { mode: 0o700 })
  // The disk's clock stamps files, so it gives the start time.
  const beganMs = lstatSync(copy.to).ctimeMs
  entries.forEach((entry, index) => {
    if (index % 2_000 === 0) copy.onProgress(index, entries.length)
    const key = copyEntry(copy, entry, { unsteady, unreadable })
    if (key === null) return
    const racy = key.kind !== 'folder' && key.stats.ctimeMs > beganMs - GRAIN_MS
    keys.set(entry.path, racy ? `racy ${beganMs} ${key.key}` : key.key)
  })
  for (const entry of entries.toReversed())
    if (entry.kind === 'folder' && keys.has(entry.path)) copyAttributes(copy.to, entry)
  const top = lstatSync(copy.from)
  chmodSync(copy.to, top.mode & 0o7777)
  return { keys, notes: notesOf({ unsteady, unreadable }) }
}

interface Troubles {
  readonly unsteady: string[]
  readonly unreadable: string[]
}

function copyEntry(copy: TreeCopy, first: TreeEntry, troubles: Troubles): TreeEntry | null {
  const target = onDisk(copy.to, first.path)
  if (first.kind === 'folder') {
    mkdirSync(target, { mode: 0o700 })
    return first
  }
  if (copy.earlier?.keys.get(first.path) === first.key && linked(onDisk(copy.earlier.tree, first.path), target))
    return first
  let entry: TreeEntry | 'special' | null = first
  for (let tries = 1; ; tries += 1) {
    if (entry === null || entry === 'special' || entry.kind === 'folder') return null
    if (!copyOnce(copy, entry, troubles)) return null
    const now = entryAt(copy.from, entry.path)
    if (now !== null && now !== 'special' && now.key === entry.key) return entry
    if (tries === MAX_TRIES) {
      troubles.unsteady.push(entry.path)
      return { ...entry, stats: { ...entry.stats, ctimeMs: Number.POSITIVE_INFINITY } }
    }
    unlinkSync(target)
    entry = now
  }
}

function copyOnce(copy: TreeCopy, entry: TreeEntry, { unreadable }: Troubles): boolean {
  const source = onDisk(copy.from, entry.path)
  const target = onDisk(copy.to, entry.path)
  try {
    if (entry.kind === 'link') symlinkSync(readlinkSync(source, 'buffer'), target)
    else copyFileSync(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EACCES') unreadable.push(entry.path)
    if (code === 'EACCES' || isAbsent(cause)) return false
    throw cause
  }
  copyAttributes(copy.to, entry)
  return true
}

/** Sets mode, times and, where permitted, the owner of a copy. */
function copyAttributes(top: string, { path, kind, stats }: TreeEntry): void {
  const target = onDisk(top, path)
  if (process.getuid?.() === 0 && (stats.uid !== 0 || stats.gid !== 0)) lchownSync(target, stats.uid, stats.gid)
  if (kind === 'link') return lutimesSync(target, stats.atime, stats.mtime)
  chmodSync(target, stats.mode)
  utimesSync(target, stats.atime, stats.mtime)
}

function linked(from: Buffer, to: Buffer): boolean {
  try {
    linkSync(from, to)
    return true
  } catch {
    // The file is gone or has too many links: it is copied instead.
    return false
  }
}

const SENTENCES: Readonly<Record<string, string>> = {
  special: 'sockets, pipes or devices were left out',
  unreadable: 'files or folders could not be read with your rights and were left out',
  git: 'files named .git lead to a repository outside of the folder and were left out, because git would write there',
  out: 'links lead out of the folder by their full path or by ..: writes through them are not isolated',
  unsteady: 'files kept changing while they were copied, and may be torn',
}

function notesOf(found: Readonly<Record<string, readonly string[]>>): string[] {
  return Object.entries(found).flatMap(([kind, paths]) => {
    const [first] = paths
    return first === undefined ? [] : [`${paths.length} ${SENTENCES[kind]} (${Buffer.from(first, 'latin1')}).`]
  })
}

/** Returns the path on disk of an entry whose name has one latin1 character for each byte. */
export const onDisk = (top: string, path: string): Buffer =>
  path === '' ? Buffer.from(top) : Buffer.concat([Buffer.from(`${top}/`), Buffer.from(path, 'latin1')])
