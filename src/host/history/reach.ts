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
import type { FilePath, FileState } from '../../model/history.ts'
import { isAbsent } from '../../primitives/absent-as-null.ts'
import { codeOf } from './look.ts'
import { diskPath, nameOf, parentOf } from './paths.ts'
import { FOLDER } from './versions.ts'

/** What was planned for is not there any more: somebody was faster. */
export class Moved extends Error {
  readonly path: FilePath

  constructor(path: FilePath) {
    super(`"${path}" is not as it was.`)
    this.path = path
  }
}

/** The name of something in a folder that is held, as node's calls take it. */
export type Spot = string | Buffer

const AS_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
/** Linux lets a name be looked up in an open folder; elsewhere a folder above may be swapped between look and deed. */
const HELD = process.platform === 'linux'

/**
 * Does something in a folder of the place that is reached without following a link: on Linux each folder on the way is
 * opened in the one before it and the last is held open, so that nobody can put a link there meanwhile. Elsewhere each
 * is asked by lstat right before.
 * @throws Moved when a folder on the way is none
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

/** The same for the spot of one path. */
export const atPath = <T>(root: string, path: FilePath, work: (spot: Spot) => T): T =>
  inFolder(root, parentOf(path), (spot) => work(spot(nameOf(path))))

/** What was done in a folder is on the disk. */
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

/** What stands at a spot, by its bytes. Null is nothing, or nothing that the history knows (a socket, a device). */
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

/** Null where it changes while it is read, or is another file by now: equal to nothing that was planned. */
function digestOf(spot: Spot, seen: BigIntStats): string | null {
  const fd = openSync(spot, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const digest = createHash('sha256')
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(1, Number(seen.size))))
    for (let many = readSync(fd, chunk); many > 0; many = readSync(fd, chunk)) digest.update(chunk.subarray(0, many))
    return sameLook(fstatSync(fd, { bigint: true }), seen) ? digest.digest('hex') : null
  } finally {
    closeSync(fd)
  }
}

/** Nobody wrote it meanwhile. Not the time of the last change of state: our own links count there. */
export const sameLook = (a: BigIntStats, b: BigIntStats): boolean =>
  a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs
