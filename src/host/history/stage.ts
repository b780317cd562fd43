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
import { CarrelError } from '../../model/errors.ts'
import type { FilePath } from '../../model/history.ts'
import type { Version } from '../../model/merge.ts'
import type { Hand } from './moves.ts'
import { diskPath, parentOf } from './paths.ts'
import { atPath, inFolder, Moved, type Spot, seenAt, syncFolder } from './reach.ts'
import { bringsContent, type Step } from './step.ts'

const synced = promisify(fsync)
/** Files that are written before the disk is asked to have them: it is faster with several. */
const TOGETHER = 64

/** Writes all new content beside its targets, on the disk before this resolves. Nothing else is touched. */
export async function stageAll(
  hand: Hand,
  steps: readonly Step[],
  next: ReadonlyMap<FilePath, Version>,
): Promise<void> {
  const work = steps.filter(bringsContent)
  for (let from = 0; from < work.length; from += TOGETHER) {
    const open: number[] = []
    try {
      for (const step of work.slice(from, from + TOGETHER)) open.push(...stageOne(hand, step, next.get(step.path)))
      await Promise.all(open.map((fd) => synced(fd)))
    } finally {
      for (const fd of open) closeSync(fd)
    }
  }
  for (const folder of new Set(work.map(({ hold }) => hold))) syncFolder(hand.root, folder)
}

/** The open file, to be synced and closed; none for a link. */
function stageOne({ root, point }: Hand, step: Step, version: Version | undefined): number[] {
  const bytes = version?.bytes()
  if (!step.next || !bytes)
    throw new CarrelError(
      'gone',
      `What "${step.path}" held is no longer kept. Nothing was written. Make the plan again.`,
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
    // After the owner, because that takes the bits for other users and groups away.
    fchmodSync(fd, mode)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** A server that runs as root works in the folders of others: what it writes stays theirs. */
export function ownerOf(root: string, { path, hold }: Step): BigIntStats | null {
  if (process.getuid?.() !== 0) return null
  const beside = () => seenAt(hold === '' ? root : diskPath(root, hold)) ?? null
  try {
    return atPath(root, path, (spot) => seenAt(spot)) ?? beside()
  } catch {
    // Its folder is still to be made.
    return beside()
  }
}

/** Takes away what acts put beside files. */
export function sweep({ root, point }: Hand, steps: readonly Step[]): void {
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

/** The names that an act gave and took are on the disk. */
export function syncFolders({ root }: Hand, steps: readonly Step[]): void {
  for (const folder of new Set(steps.flatMap(({ path, hold }) => [parentOf(path), hold]))) {
    try {
      syncFolder(root, folder)
    } catch (error) {
      if (!(error instanceof Moved)) throw error
    }
  }
}
