import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs'
import { type FileState, sameState } from '../../../model/files/history.ts'
import { isAbsent } from '../../../primitives/absent-as-null.ts'
import { giveToOwnerOf, setAttributes } from '../../attributes.ts'
import { nameOf, parentOf } from '../log/paths.ts'
import type { ActStep, Kind } from '../log/step.ts'
import { isFolder } from '../log/versions.ts'
import { codeOf } from '../scan/inspect.ts'
import { inFolder, isUntouched, Moved, type Spot, seenAt, stateOf } from './reach.ts'

/** Called before each step that a crash could interrupt; tests stop here. */
export type CrashPoint = (name: string) => void

interface Spots {
  readonly step: ActStep
  readonly target: Spot
  /** Folder of the target. */
  readonly parent: Spot
  /** New content, beside the target. */
  readonly staged: Spot
  /** Earlier content, beside the target. */
  readonly old: Spot
  readonly point: CrashPoint
}

/**
 * Pair of a step and its reversal. `do` checks right before it writes and throws Moved. `undo` reverts only own
 * changes; false means a later write by another program.
 */
interface MoveSteps {
  readonly isDone: (spots: Spots) => boolean
  readonly do: (spots: Spots) => void
  readonly undo: (spots: Spots) => boolean
}

export interface Site {
  readonly root: string
  readonly point: CrashPoint
}

export interface Move {
  readonly kind: Kind
  readonly step: ActStep
}

/** Whether a move was done before a crash. The folder of a removed file may be removed too. */
export function isDone(site: Site, { kind, step }: Move): boolean {
  try {
    return at(site, step, MOVES[kind].isDone)
  } catch (error) {
    if (!(error instanceof Moved)) throw error
    return (
      kind === 'unmake' ||
      (kind === 'away' && inFolder(site.root, step.hold, (held) => isThere(held(`${step.name}.old`))))
    )
  }
}

export const undoMove = (site: Site, move: Move): boolean => at(site, move.step, MOVES[move.kind].undo)

/** Error codes of a change between the check and the write. */
const CONCURRENT = new Set(['EEXIST', 'EISDIR', 'ENOTEMPTY', 'ELOOP'])

/** Performs a move. @throws Moved when the present state is not the planned one */
export function doMove(site: Site, { kind, step }: Move): void {
  try {
    at(site, step, MOVES[kind].do)
  } catch (error) {
    throw isAbsent(error) || CONCURRENT.has(codeOf(error)) ? new Moved(step.path) : error
  }
}

function at<T>({ root, point }: Site, step: ActStep, work: (spots: Spots) => T): T {
  return inFolder(root, step.hold, (held) =>
    inFolder(root, parentOf(step.path), (spot) =>
      work({
        step,
        target: spot(nameOf(step.path)),
        parent: spot('.'),
        staged: held(step.name),
        old: held(`${step.name}.old`),
        point,
      }),
    ),
  )
}

const MOVES: Readonly<Record<Kind, MoveSteps>> = {
  away: {
    isDone: ({ old }) => isThere(old),
    do({ step, target, old, point }) {
      const seen = expect(step, target)
      point(`away ${step.path}`)
      renameSync(target, old)
      // The moved file must be the checked one, or it goes back.
      if (!isUntouched(seen, seenAt(old) ?? seen)) throw new Moved(step.path)
    },
    undo: ({ target, old }) => !isThere(old) || giveBack(old, target),
  },
  unmake: {
    isDone: ({ target }) => !seenAt(target)?.isDirectory(),
    do({ step, target, point }) {
      expect(step, target)
      point(`unmake ${step.path}`)
      if (!removeFolder(target)) throw new Moved(step.path)
    },
    undo({ step, target, parent }) {
      const seen = seenAt(target)
      if (!seen) makeFolder(target, parent, step)
      return !seen || seen.isDirectory()
    },
  },
  make: {
    isDone: ({ target }) => seenAt(target)?.isDirectory() ?? false,
    do({ step, target, parent, point }) {
      point(`make ${step.path}`)
      if (isThere(target)) throw new Moved(step.path)
      makeFolder(target, parent, step)
    },
    undo: ({ target }) => !seenAt(target)?.isDirectory() || removeFolder(target),
  },
  put: {
    isDone({ target, staged }) {
      const seen = seenAt(staged)
      if (!seen) return true
      // A crash came between the two names of one file.
      const both = seenAt(target)?.ino === seen.ino
      if (both) unlinkSync(staged)
      return both
    },
    do(spots) {
      const { step, target, old } = spots
      const isOver = step.now !== null && !isFolder(step.now)
      if (isOver && (isThere(target) || !isThere(old))) return putOver(spots)
      spots.point(`put ${step.path}`)
      settle(spots.staged, target, step)
    },
    undo(spots) {
      const { step, target, staged, old } = spots
      const isOver = step.now !== null && !isFolder(step.now)
      if (!isOver) return takeAway(spots)
      if (!isThere(old)) return true
      if (isThere(staged)) return isThere(target) ? drop(old) : giveBack(old, target)
      if (isThere(target) && !sameState(stateOf(target), step.next)) return !drop(old)
      renameSync(old, target)
      return true
    },
  },
  mode: {
    isDone: () => false,
    do({ step, target, point }) {
      const is = stateOf(target)
      if (sameState(is, step.next)) return
      const isMade = isFolder(step.next) && !isFolder(step.now)
      if (!(isMade ? isFolder(is) : sameState(is, step.now))) throw new Moved(step.path)
      point(`mode ${step.path}`)
      setMode(target, step.next)
    },
    undo({ step, target }) {
      if (isFolder(step.next) && !isFolder(step.now)) return true
      const is = stateOf(target)
      if (sameState(is, step.now)) return true
      if (!sameState(is, step.next)) return false
      setMode(target, step.now)
      return true
    },
  },
}

const isThere = (spot: Spot): boolean => seenAt(spot) !== undefined

/** Returns the stats of the target. @throws Moved unless its state is the planned one */
function expect(step: ActStep, target: Spot): BigIntStats {
  const seen = seenAt(target)
  if (!seen || !sameState(stateOf(target), step.now)) throw new Moved(step.path)
  return seen
}

/**
 * Replaces old content by one rename, so that the path is never empty. The old file keeps a second name until the act
 * is over. That name lets it return unchanged, and shows a concurrent write.
 */
function putOver(spots: Spots): void {
  const { step, target, staged, old, point } = spots
  const seen = expect(step, target)
  point(`keep ${step.path}`)
  if (!isThere(old) && !keep(target, old)) return putAside(spots, seen)
  const kept = seenAt(old)
  // An overlay may give a file another inode number with its second name.
  const isIt = kept && (isUntouched(seen, kept) || sameState(stateOf(old), step.now))
  if (!isIt || seenAt(target)?.ino !== kept.ino) throw new Moved(step.path)
  point(`put ${step.path}`)
  renameSync(staged, target)
  if (!isUntouched(kept, seenAt(old) ?? kept)) throw new Moved(step.path)
}

/** Replaces a file that cannot have two names: the path is empty for a moment. */
function putAside({ step, target, staged, old, point }: Spots, seen: BigIntStats): void {
  point(`aside ${step.path}`)
  renameSync(target, old)
  if (!isUntouched(seen, seenAt(old) ?? seen)) throw new Moved(step.path)
  point(`put ${step.path}`)
  settle(staged, target, step)
}

/** Errors of hard links: the disk has none, or the file has another disk or owner. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS', 'EXDEV'])

/** Gives a file a second name; false where that is impossible. */
function keep(from: Spot, to: Spot): boolean {
  // Except on Linux, a hard link to a symbolic link is a link to its target.
  if (process.platform !== 'linux' && seenAt(from)?.isSymbolicLink()) return false
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (!NO_LINKS.has(codeOf(error))) throw error
    return false
  }
}

/** Gives a file its name, and never overwrites a file that another program put there. */
function settle(staged: Spot, target: Spot, step: ActStep): void {
  if (keep(staged, target)) return unlinkSync(staged)
  if (isThere(target)) throw new Moved(step.path)
  renameSync(staged, target)
}

/** Gives the earlier file its name back, if the name is free. */
function giveBack(old: Spot, target: Spot): boolean {
  if (isThere(target)) return !drop(old)
  renameSync(old, target)
  return true
}

/** Removes a file that this act made where nothing was. */
function takeAway({ step, target, staged }: Spots): boolean {
  const [made, seen] = [seenAt(staged), seenAt(target)]
  if (made) return seen?.ino === made.ino ? drop(target) : true
  if (!seen) return true
  return sameState(stateOf(target), step.next) && drop(target)
}

function drop(spot: Spot): true {
  unlinkSync(spot)
  return true
}

/** Makes a folder that is private until its mode is set, with its earlier attributes, or for the owner around it. */
function makeFolder(spot: Spot, parent: Spot, { attributes }: ActStep): void {
  mkdirSync(spot, 0o700)
  if (attributes) setAttributes(spot, attributes)
  else giveToOwnerOf(parent, spot)
}

/** Removes an empty folder; false when it is not empty. A missing one is fine. */
function removeFolder(spot: Spot): boolean {
  try {
    rmdirSync(spot)
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST'].includes(codeOf(error))) return false
    if (!isAbsent(error)) throw error
    // The error is the same for nothing and for a file in its stead.
    return !isThere(spot)
  }
  return true
}

/** Sets the permission bits of a file or folder, never through a link. */
export function setMode(spot: Spot, state: FileState | null): void {
  if (state === null || state.kind === 'link') return
  let fd: number
  try {
    fd = openSync(spot, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    // The owner may change the mode of a file that the owner may not read.
    if (codeOf(error) !== 'EACCES') throw error
    return chmodSync(spot, state.mode)
  }
  try {
    fchmodSync(fd, state.mode)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
