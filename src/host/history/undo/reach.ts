import { createHash } from 'node:crypto'
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
} from 'node:fs'
import { type FilePath, type FileState, sameState } from '../../../model/files/history.ts'
import { isAbsent } from '../../../primitives/absent-as-null.ts'
import { diskPath, nameOf, parentOf } from '../log/paths.ts'
import { FOLDER } from '../log/versions.ts'
import { codeOf } from '../scan/inspect.ts'

/** Error for a path whose state is no longer the planned one, because of a concurrent write. */
export class Moved extends Error {
  readonly path: FilePath

  constructor(path: FilePath) {
    super(`"${path}" has changed.`)
    this.path = path
  }
}

/** Name in an open folder, for Node's file system calls. */
export type Spot = string | Buffer

const AS_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
/** Linux resolves a name in an open folder; elsewhere a folder above may be swapped between check and write. */
const HELD = process.platform === 'linux'

/**
 * Works in a folder of the place without following a link. On Linux each folder is opened in the one before and the
 * last stays open, so that no link can be inserted. Elsewhere lstat checks each folder right before.
 * @throws Moved when a folder on the way is missing or not a folder
 */
export function inFolder<T>(root: string, folder: FilePath, work: (spot: (name: string) => Spot) => T): T {
  if (!HELD) return work(checkedSpot(root, folder))
  const fd = openFolder(root, folder)
  try {
    return work((name) => diskPath(`/proc/self/fd/${fd}`, name))
  } finally {
    closeSync(fd)
  }
}

/** Works at one path without following a link. */
export const atPath = <T>(root: string, path: FilePath, work: (spot: Spot) => T): T =>
  inFolder(root, parentOf(path), (spot) => work(spot(nameOf(path))))

/** Syncs the names in a folder to disk. */
export function syncFolder(root: string, folder: FilePath): void {
  const fd = openFolder(root, folder)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function openFolder(root: string, folder: FilePath): number {
  let fd = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY)
  for (const part of folder === '' ? [] : folder.split('/')) {
    try {
      const next = openSync(HELD ? diskPath(`/proc/self/fd/${fd}`, part) : diskPath(root, folder), AS_FOLDER)
      closeSync(fd)
      fd = next
    } catch (error) {
      closeSync(fd)
      throw isNoFolder(error) ? new Moved(folder) : error
    }
    if (!HELD) break
  }
  return fd
}

function checkedSpot(root: string, folder: FilePath): (name: string) => Spot {
  const parts = folder === '' ? [] : folder.split('/')
  for (let many = 1; many <= parts.length; many++) {
    const at = parts.slice(0, many).join('/')
    if (!lstatSync(diskPath(root, at), { throwIfNoEntry: false })?.isDirectory()) throw new Moved(at)
  }
  return (name) => diskPath(root, folder === '' ? name : `${folder}/${name}`)
}

const isNoFolder = (error: unknown): boolean => isAbsent(error) || ['ELOOP', 'EMLINK'].includes(codeOf(error))

export const seenAt = (spot: Spot): BigIntStats | undefined => lstatSync(spot, { bigint: true, throwIfNoEntry: false })

const CHUNK = 1_048_576

/** Returns the state at a spot from its bytes; null for nothing, or an unknown kind (a socket, a device). */
export function stateOf(spot: Spot): FileState | null {
  const seen = seenAt(spot)
  const mode = Number((seen?.mode ?? 0n) & 0o7777n)
  if (seen?.isDirectory()) return { ...FOLDER, mode }
  if (seen?.isSymbolicLink()) {
    const target = readlinkSync(spot, 'buffer')
    return { kind: 'link', digest: createHash('sha256').update(target).digest('hex'), mode: 0o777, size: target.length }
  }
  return seen?.isFile() ? { kind: 'file', digest: digestOf(spot, seen), mode, size: Number(seen.size) } : null
}

/** Whether a path has this state on disk. Reads content only where the size is right. */
export function isOnDisk(root: string, path: FilePath, state: FileState | null): boolean {
  try {
    return atPath(root, path, (spot) => {
      const seen = seenAt(spot)
      if (seen?.isFile() && state?.size !== Number(seen.size)) return false
      return state === null ? seen === undefined : sameState(stateOf(spot), state)
    })
  } catch (error) {
    if (error instanceof Moved) return state === null
    if (['EACCES', 'EPERM', 'EIO'].includes(codeOf(error))) return false
    throw error
  }
}

/** Returns null when the file changes during the read, or was replaced: that equals no planned state. */
function digestOf(spot: Spot, seen: BigIntStats): string | null {
  const fd = openSync(spot, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const digest = createHash('sha256')
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(1, Number(seen.size))))
    for (let many = readSync(fd, chunk); many > 0; many = readSync(fd, chunk)) digest.update(chunk.subarray(0, many))
    return isUntouched(fstatSync(fd, { bigint: true }), seen) ? digest.digest('hex') : null
  } finally {
    closeSync(fd)
  }
}

/** Whether the file was not written between both stats. Ignores ctime, because own hard links change it. */
export const isUntouched = (a: BigIntStats, b: BigIntStats): boolean =>
  a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs
