import {
  type BigIntStats,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsync,
  lchownSync,
  openSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { promisify } from 'node:util'
import { CarrelError } from '../../../model/errors.ts'
import type { FilePath } from '../../../model/files/history.ts'
import type { Version } from '../../../model/files/merge.ts'
import { diskPath, parentOf } from '../log/paths.ts'
import { type ActStep, writesContent } from '../log/step.ts'
import type { Site } from './moves.ts'
import { atPath, inFolder, Moved, type Spot, seenAt, syncFolder } from './reach.ts'

const synced = promisify(fsync)
/** Number of files that are synced together, which is faster. */
const SYNC_BATCH = 64

/** Writes all new content beside its targets, durably. Changes nothing else. */
export async function stageAll(
  site: Site,
  steps: readonly ActStep[],
  next: ReadonlyMap<FilePath, Version>,
): Promise<void> {
  const work = steps.filter(writesContent)
  for (let from = 0; from < work.length; from += SYNC_BATCH) {
    const open: number[] = []
    try {
      for (const step of work.slice(from, from + SYNC_BATCH)) open.push(...stageOne(site, step, next.get(step.path)))
      await Promise.all(open.map((fd) => synced(fd)))
    } finally {
      for (const fd of open) closeSync(fd)
    }
  }
  for (const folder of new Set(work.map(({ hold }) => hold))) syncFolder(site.root, folder)
}

/** Writes one file. Returns its open descriptor, to be synced and closed; none for a link. */
function stageOne({ root, point }: Site, step: ActStep, version: Version | undefined): number[] {
  const bytes = version?.bytes()
  if (!step.next || !bytes)
    throw new CarrelError(
      'gone',
      `The content of "${step.path}" is no longer kept. Nothing was written. Make the plan again.`,
    )
  const owner = ownerOf(root, step)
  const { kind, mode } = step.next
  point(`stage ${step.path}`)
  return inFolder(root, step.hold, (spot) => {
    const at = spot(step.name)
    if (kind === 'file') return [writeNew(at, bytes, { mode, owner })]
    symlinkSync(Buffer.from(bytes), at)
    if (owner) lchownSync(at, Number(owner.uid), Number(owner.gid))
    return []
  })
}

function writeNew(spot: Spot, bytes: Uint8Array, { mode, owner }: { mode: number; owner: BigIntStats | null }): number {
  const fd = openSync(spot, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
  try {
    for (let from = 0; from < bytes.length; ) from += writeSync(fd, bytes, from)
    if (owner) fchownSync(fd, Number(owner.uid), Number(owner.gid))
    // The mode comes after the owner, because chown clears setuid and setgid bits.
    fchmodSync(fd, mode)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Returns the owner for new files: a server that runs as root works in the folders of others. */
function ownerOf(root: string, { path, hold }: ActStep): BigIntStats | null {
  if (process.getuid?.() !== 0) return null
  const beside = () => seenAt(hold === '' ? root : diskPath(root, hold)) ?? null
  try {
    return atPath(root, path, (spot) => seenAt(spot)) ?? beside()
  } catch {
    // The folder does not exist yet.
    return beside()
  }
}

/** Removes the temporary files of an act. */
export function sweep({ root, point }: Site, steps: readonly ActStep[]): void {
  for (const { hold, name, path } of steps) {
    point(`sweep ${path}`)
    try {
      inFolder(root, hold, (spot) => {
        rmSync(spot(name), { force: true })
        rmSync(spot(`${name}.old`), { force: true })
      })
    } catch (error) {
      if (!(error instanceof Moved)) throw error
    }
  }
}

/** Syncs the names that an act added and removed. */
export function syncFolders({ root }: Site, steps: readonly ActStep[]): void {
  for (const folder of new Set(steps.flatMap(({ path, hold }) => [parentOf(path), hold]))) {
    try {
      syncFolder(root, folder)
    } catch (error) {
      if (!(error instanceof Moved)) throw error
    }
  }
}
