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

/** One thing of a folder. Names are bytes: a path has one character for each of them (latin1). */
export interface Entry {
  readonly path: string
  readonly kind: 'file' | 'link' | 'folder'
  /** The same for as long as nothing about it changes; for folders without the times, which come from what is in them. */
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

/** What a copy leaves out or cannot keep apart, in sentences with counts. */
export interface Walked {
  readonly entries: readonly Entry[]
  readonly notes: readonly string[]
}

const MAX_TRIES = 5
/** Times of files have the grain of the kernel's clock. ms. */
const GRAIN_MS = 100
const LATIN1 = { withFileTypes: true, encoding: 'latin1' } as const

/** Everything below a folder by `lstat`, parents before what is in them, always in the same order. */
export function walkTree(top: string): Walked {
  const entries: Entry[] = []
  const left = { special: [] as string[], unreadable: [] as string[], git: [] as string[], out: [] as string[] }
  const visit = (folder: string) => {
    for (const { name } of listed(top, folder, left.unreadable)) {
      const path = folder === '' ? name : `${folder}/${name}`
      const found = lookAt(top, path)
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
    // It went between its parent and now.
    if (code === 'EACCES' || isAbsent(cause)) return []
    throw cause
  }
}

function lookAt(top: string, path: string): Entry | 'special' | null {
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

/** Whether a link, or a `.git` that names its folder in a file, leads to something outside of `top`. */
function leadsOut(top: string, { path, kind, stats }: Entry, as: 'git' | 'link'): boolean {
  const at = onDisk(top, path)
  let target: string | undefined
  if (kind === 'link') target = readlinkSync(at)
  else if (as === 'git' && kind === 'file' && stats.size < 65_536)
    target = /^gitdir: (.+)$/s.exec(readFileSync(at, 'utf8').trim())?.[1]
  if (target === undefined) return false
  // What is named by its full path leads to the folder itself, not to the copy.
  if (isAbsolute(target)) return true
  const way = relative(top, resolve(dirname(resolve(top, path)), target))
  return way === '..' || way.startsWith(`..${sep}`)
}

/** A copy under way: the folder it comes from, where it goes, and a whole earlier copy whose files may be shared. */
export interface TreeCopy {
  readonly from: string
  readonly to: string
  readonly earlier: { readonly tree: string; readonly keys: ReadonlyMap<string, string> } | null
  readonly onProgress: (done: number, all: number) => void
}

export interface Copied {
  /** By path: what each entry was when it was copied. One that changed in that very moment has a key that never comes again. */
  readonly keys: Map<string, string>
  readonly notes: readonly string[]
}

/**
 * Copies what a walk found into a new folder: content, links, modes, times, empty folders. A file that changes while
 * it is copied is copied again. Files that an earlier copy has unchanged are linked, so that only what changed takes room.
 */
export function copyTree(copy: TreeCopy, entries: readonly Entry[]): Copied {
  const keys = new Map<string, string>()
  const restless: string[] = []
  const unreadable: string[] = []
  mkdirSync(copy.to, { mode: 0o700 })
  // By the clock of the disk, which is the one that files are marked with.
  const beganMs = lstatSync(copy.to).ctimeMs
  entries.forEach((entry, index) => {
    if (index % 2_000 === 0) copy.onProgress(index, entries.length)
    const key = copyEntry(copy, entry, { restless, unreadable })
    if (key === null) return
    const racy = key.kind !== 'folder' && key.stats.ctimeMs > beganMs - GRAIN_MS
    keys.set(entry.path, racy ? `racy ${beganMs} ${key.key}` : key.key)
  })
  for (const entry of entries.toReversed()) if (entry.kind === 'folder' && keys.has(entry.path)) dress(copy.to, entry)
  const top = lstatSync(copy.from)
  chmodSync(copy.to, top.mode & 0o7777)
  return { keys, notes: notesOf({ restless, unreadable }) }
}

interface Troubles {
  readonly restless: string[]
  readonly unreadable: string[]
}

function copyEntry(copy: TreeCopy, first: Entry, troubles: Troubles): Entry | null {
  const target = onDisk(copy.to, first.path)
  if (first.kind === 'folder') {
    mkdirSync(target, { mode: 0o700 })
    return first
  }
  if (copy.earlier?.keys.get(first.path) === first.key && linked(onDisk(copy.earlier.tree, first.path), target))
    return first
  let entry: Entry | 'special' | null = first
  for (let tries = 1; ; tries += 1) {
    if (entry === null || entry === 'special' || entry.kind === 'folder') return null
    if (!copyOnce(copy, entry, troubles)) return null
    const now = lookAt(copy.from, entry.path)
    if (now !== null && now !== 'special' && now.key === entry.key) return entry
    if (tries === MAX_TRIES) {
      troubles.restless.push(entry.path)
      return { ...entry, stats: { ...entry.stats, ctimeMs: Number.POSITIVE_INFINITY } }
    }
    unlinkSync(target)
    entry = now
  }
}

function copyOnce(copy: TreeCopy, entry: Entry, { unreadable }: Troubles): boolean {
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
  dress(copy.to, entry)
  return true
}

/** Gives a copy what the original has beside its content. The owner only where this process may. */
function dress(top: string, { path, kind, stats }: Entry): void {
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
    // Too many links to one file, or it is not there any more: then it is copied.
    return false
  }
}

const SENTENCES: Readonly<Record<string, string>> = {
  special: 'sockets, pipes or devices were left out',
  unreadable: 'files or folders could not be read with your rights and are not in it',
  git: 'files named .git lead to a repository outside of the folder and were left out, since git would then write there',
  out: 'links lead out of the folder by their full path or by ..: what is written through them is not kept apart',
  restless: 'files kept changing while they were copied, and may be torn',
}

function notesOf(found: Readonly<Record<string, readonly string[]>>): string[] {
  return Object.entries(found).flatMap(([kind, paths]) => {
    const [first] = paths
    return first === undefined ? [] : [`${paths.length} ${SENTENCES[kind]} (${Buffer.from(first, 'latin1')}).`]
  })
}

function onDisk(top: string, path: string): Buffer {
  return path === '' ? Buffer.from(top) : Buffer.concat([Buffer.from(`${top}/`), Buffer.from(path, 'latin1')])
}
