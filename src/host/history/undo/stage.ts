import { closeSync, constants, fchmodSync, fsync, lstatSync, openSync, rmSync, symlinkSync, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import { CarrelError } from '../../../model/errors.ts'
import type { FilePath } from '../../../model/files/history.ts'
import type { Version } from '../../../model/files/merge.ts'
import { type Attributes, attributesAt, giveToOwnerOf, lossTexts, setAttributes } from '../../attributes.ts'
import { parentOf } from '../log/paths.ts'
import { type ActStep, writesContent } from '../log/step.ts'
import type { Site } from './moves.ts'
import { atPath, inFolder, Moved, type Spot, syncFolder } from './reach.ts'

const synced = promisify(fsync)
/** Number of files that are synced together, which is faster. */
const SYNC_BATCH = 64

/**
 * Writes all new content beside its targets, durably. Changes nothing else. Returns sentences that say what the targets
 * will not keep.
 */
export async function stageAll(
  site: Site,
  steps: readonly ActStep[],
  next: ReadonlyMap<FilePath, Version>,
): Promise<string[]> {
  const work = steps.filter(writesContent)
  const losses: string[] = []
  for (let from = 0; from < work.length; from += SYNC_BATCH) {
    const open: number[] = []
    try {
      for (const step of work.slice(from, from + SYNC_BATCH)) {
        const { fd, texts } = stageOne(site, step, next.get(step.path))
        if (fd !== null) open.push(fd)
        losses.push(...texts)
      }
      await Promise.all(open.map((fd) => synced(fd)))
    } finally {
      for (const fd of open) closeSync(fd)
    }
  }
  for (const folder of new Set(work.map(({ hold }) => hold))) syncFolder(site.root, folder)
  return losses
}

interface Staged {
  /** Open descriptor, to be synced and closed; null for a link. */
  readonly fd: number | null
  readonly texts: readonly string[]
}

function stageOne({ root, point }: Site, step: ActStep, version: Version | undefined): Staged {
  const bytes = version?.bytes()
  if (!step.next || !bytes)
    throw new CarrelError(
      'gone',
      `The content of "${step.path}" is no longer kept. Nothing was written. Make the plan again.`,
    )
  const { kind, mode } = step.next
  const present = presentAt(root, step)
  point(`stage ${step.path}`)
  return inFolder(root, step.hold, (spot) => {
    const at = spot(step.name)
    if (kind === 'link') symlinkSync(Buffer.from(bytes), at)
    const fd = kind === 'link' ? null : writeNew(at, bytes)
    try {
      const wanted = present?.attributes ?? step.attributes
      const lost = wanted ? setAttributes(at, wanted) : giveToOwnerOf(spot('.'), at)
      // The mode comes last: chown clears its special bits, and an access control list changes it.
      if (fd !== null) fchmodSync(fd, mode)
      return { fd, texts: lossTexts(step.path, { lost, links: present?.links ?? 1 }) }
    } catch (error) {
      if (fd !== null) closeSync(fd)
      throw error
    }
  })
}

/** Writes a private file, and leaves it open. */
function writeNew(spot: Spot, bytes: Uint8Array): number {
  const fd = openSync(spot, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
  try {
    for (let from = 0; from < bytes.length; ) from += writeSync(fd, bytes, from)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Returns what a file or link that will be replaced has besides its content; null for none of the kind. */
function presentAt(root: string, { path, now, next }: ActStep): { attributes: Attributes; links: number } | null {
  if (now === null || now.kind !== next?.kind) return null
  return atPath(root, path, (spot) => {
    const stats = lstatSync(spot, { throwIfNoEntry: false })
    return stats ? { attributes: attributesAt(spot, stats), links: stats.nlink } : null
  })
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
