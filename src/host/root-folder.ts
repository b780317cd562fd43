import { type BigIntStats, closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, type Stats } from 'node:fs'
import { CarrelError } from '../model/errors.ts'
import { isAbsent } from '../primitives/absent-as-null.ts'
import { errorCode } from '../primitives/error-code.ts'
import { giveToOwnerOf } from './attributes.ts'

/**
 * Identity of a folder: its disk, its inode and the time of its birth. A renamed folder keeps it, and another folder at
 * the same path has another one. Without the time, a new folder could have the inode of a removed one.
 */
export type RootIdentity = string

/** Folder that stays the same one while it is held, also when it is renamed. */
export interface HeldFolder {
  /** Path of the folder for file system calls of this process, while it is held. */
  readonly path: string
  release(): void
}

/** Linux resolves a name in an open folder; elsewhere a folder may be swapped between a check and a write. */
const HELD = process.platform === 'linux'
const AS_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/** Returns the identity of the folder at `path`; null for nothing, a file or a link. */
export function identityAt(path: string): RootIdentity | null {
  const stats = statsAt(path)
  return stats?.isDirectory() ? identityOf(stats) : null
}

/** Checks that the folder at `path` is the expected one; null accepts any folder. @throws gone, with the next step */
export function checkRoot(path: string, expected: RootIdentity | null): void {
  const stats = statsAt(path)
  if (!stats?.isDirectory() || (expected !== null && identityOf(stats) !== expected)) throw rootGone(path, stats)
}

/** Opens the folder at `path` and holds it. @throws gone unless it is the expected one; null accepts any folder */
export function holdRoot(path: string, expected: RootIdentity | null): HeldFolder {
  checkRoot(path, expected)
  if (!HELD) return { path, release: () => undefined }
  const held = hold(path)
  // The folder may have been replaced since the check.
  const stats = held && fstatSync(held.fd, { bigint: true })
  if (stats && (expected === null || identityOf(stats) === expected)) return held
  held?.release()
  throw rootGone(path, stats ?? statsAt(path))
}

/**
 * Holds a folder below a held one and makes missing folders on the way, never through a link. Returns null where a part
 * of the way is a link or a file.
 */
export function holdBelow(root: HeldFolder, parts: readonly string[]): HeldFolder | null {
  if (!HELD) {
    const path = [root.path, ...parts].join('/')
    mkdirSync(path, { recursive: true })
    return { path, release: () => undefined }
  }
  let at = hold(root.path, constants.O_RDONLY | constants.O_DIRECTORY)
  for (const part of parts) {
    const above = at
    if (!above) return null
    try {
      at = hold(`${above.path}/${part}`) ?? made(above.path, part)
    } finally {
      above.release()
    }
  }
  return at
}

/** Makes a folder for the owner of the one above it, and holds it; null where something else has its name. */
function made(above: string, name: string): (HeldFolder & { readonly fd: number }) | null {
  const path = `${above}/${name}`
  try {
    mkdirSync(path)
    giveToOwnerOf(above, path)
  } catch (thrown) {
    if (errorCode(thrown) !== 'EEXIST') throw thrown
  }
  return hold(path)
}

/** Returns null for nothing, a file and a link. */
function hold(path: string, flags = AS_FOLDER): (HeldFolder & { readonly fd: number }) | null {
  try {
    const fd = openSync(path, flags)
    return { fd, path: `/proc/self/fd/${fd}`, release: () => closeSync(fd) }
  } catch (thrown) {
    if (isAbsent(thrown) || errorCode(thrown) === 'ELOOP') return null
    throw thrown
  }
}

function statsAt(path: string): BigIntStats | null {
  try {
    return lstatSync(path, { bigint: true })
  } catch (thrown) {
    if (isAbsent(thrown)) return null
    throw thrown
  }
}

/** Where statx is blocked, Node reports the time of the last change as the birth: then the procfs has a birth too. */
const KNOWS_BIRTH = !HELD || statsAt('/proc/self')?.birthtimeNs === 0n

const identityOf = ({ dev, ino, birthtimeNs }: BigIntStats): RootIdentity =>
  [dev, ino, KNOWS_BIRTH ? birthtimeNs : 0n].join(':')

/** Explains why the folder of a working copy cannot be used. Nothing is written or recorded then. */
export function rootGone(path: string, found: Pick<Stats, 'isDirectory' | 'isSymbolicLink'> | null): CarrelError {
  if (!found)
    return new CarrelError(
      'gone',
      `The folder ${path} does not exist. Restore it, or create a Space for its new location.`,
    )
  const what = found.isDirectory() ? 'Another folder' : found.isSymbolicLink() ? 'A link' : 'A file'
  const other = found.isDirectory()
    ? 'go on with this one: `carrel history --accept-folder`'
    : 'create a Space for its new location'
  const text = `${what} stands where the folder ${path} was. Nothing was written or recorded. Move the earlier folder back there, or ${other}.`
  return new CarrelError('gone', text)
}
