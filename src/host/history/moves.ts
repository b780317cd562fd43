import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs'
import { type FileState, sameState } from '../../model/history.ts'
import { isAbsent } from '../../primitives/absent-as-null.ts'
import { codeOf } from './look.ts'
import { nameOf, parentOf } from './paths.ts'
import { inFolder, Moved, type Spot, sameLook, seenAt, stateOf } from './reach.ts'
import type { Kind, Step } from './step.ts'
import { isFolder } from './versions.ts'

/** Called before each thing that a crash could come before; tests stop here. */
export type Point = (name: string) => void

interface Spots {
  readonly step: Step
  readonly target: Spot
  /** The folder it lies in. */
  readonly parent: Spot
  /** The new content, beside the target. */
  readonly staged: Spot
  /** What was there, beside the target. */
  readonly old: Spot
  readonly point: Point
}

/** `do` looks right before it writes and throws Moved. `undo` takes back only what is still ours; false: something else is there now. */
interface Deed {
  readonly isDone: (spots: Spots) => boolean
  readonly do: (spots: Spots) => void
  readonly undo: (spots: Spots) => boolean
}

export interface Hand {
  readonly root: string
  readonly point: Point
}

export interface Move {
  readonly kind: Kind
  readonly step: Step
}

/** For whoever goes on after a crash. The folder of what went away may have gone after it. */
export function isDone(hand: Hand, { kind, step }: Move): boolean {
  try {
    return at(hand, step, DEEDS[kind].isDone)
  } catch (error) {
    if (!(error instanceof Moved)) throw error
    return (
      kind === 'unmake' ||
      (kind === 'away' && inFolder(hand.root, step.hold, (held) => isThere(held(`${step.name}.old`))))
    )
  }
}

export const undoMove = (hand: Hand, move: Move): boolean => at(hand, move.step, DEEDS[move.kind].undo)

/** What the disk says when somebody else was there between look and deed. */
const FASTER = new Set(['EEXIST', 'EISDIR', 'ENOTEMPTY', 'ELOOP'])

/** @throws Moved when what is there is not what was planned for */
export function doMove(hand: Hand, { kind, step }: Move): void {
  try {
    at(hand, step, DEEDS[kind].do)
  } catch (error) {
    throw isAbsent(error) || FASTER.has(codeOf(error)) ? new Moved(step.path) : error
  }
}

function at<T>({ root, point }: Hand, step: Step, work: (spots: Spots) => T): T {
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

const DEEDS: Readonly<Record<Kind, Deed>> = {
  away: {
    isDone: ({ old }) => isThere(old),
    do({ step, target, old, point }) {
      const seen = expect(step, target)
      point(`away ${step.path}`)
      renameSync(target, old)
      // What was moved is what was looked at, or it goes back.
      if (!sameLook(seen, seenAt(old) ?? seen)) throw new Moved(step.path)
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
    undo({ target, parent }) {
      const seen = seenAt(target)
      if (!seen) makeFolder(target, parent)
      return !seen || seen.isDirectory()
    },
  },
  make: {
    isDone: ({ target }) => seenAt(target)?.isDirectory() ?? false,
    do({ step, target, parent, point }) {
      point(`make ${step.path}`)
      if (isThere(target)) throw new Moved(step.path)
      makeFolder(target, parent)
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

/** @throws Moved unless what stands there is what the plan saw */
function expect(step: Step, target: Spot): BigIntStats {
  const seen = seenAt(target)
  if (!seen || !sameState(stateOf(target), step.now)) throw new Moved(step.path)
  return seen
}

/**
 * Puts new content in the place of old, in one rename: nobody ever finds nothing there. The old file keeps a second
 * name until the act is over, so that it can come back as it was, and so that who wrote into it meanwhile is noticed.
 */
function putOver(spots: Spots): void {
  const { step, target, staged, old, point } = spots
  const seen = expect(step, target)
  point(`keep ${step.path}`)
  if (!isThere(old) && !keep(target, old)) return putAside(spots, seen)
  const kept = seenAt(old)
  // A view over other folders may give a file another number when it gets a second name.
  const isIt = kept && (sameLook(seen, kept) || sameState(stateOf(old), step.now))
  if (!isIt || seenAt(target)?.ino !== kept.ino) throw new Moved(step.path)
  point(`put ${step.path}`)
  renameSync(staged, target)
  if (!sameLook(kept, seenAt(old) ?? kept)) throw new Moved(step.path)
}

/** The same where a file cannot have two names: for a moment there is nothing. */
function putAside({ step, target, staged, old, point }: Spots, seen: BigIntStats): void {
  point(`aside ${step.path}`)
  renameSync(target, old)
  if (!sameLook(seen, seenAt(old) ?? seen)) throw new Moved(step.path)
  point(`put ${step.path}`)
  settle(staged, target, step)
}

/** No hard links here, or none to this file: other disks, other owners. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS', 'EXDEV'])

/** A second name for a file; false where that cannot be. */
function keep(from: Spot, to: Spot): boolean {
  // Elsewhere than on Linux a link to a link is one to what it points at.
  if (process.platform !== 'linux' && seenAt(from)?.isSymbolicLink()) return false
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (!NO_LINKS.has(codeOf(error))) throw error
    return false
  }
}

/** Gives a file its name, never over something that somebody put there. */
function settle(staged: Spot, target: Spot, step: Step): void {
  if (keep(staged, target)) return unlinkSync(staged)
  if (isThere(target)) throw new Moved(step.path)
  renameSync(staged, target)
}

/** What was there gets its name back where that is free. */
function giveBack(old: Spot, target: Spot): boolean {
  if (isThere(target)) return !drop(old)
  renameSync(old, target)
  return true
}

/** What we made where nothing was. */
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

/** Open to us alone until its permissions are set. Root gives it to whom the folder around it belongs. */
function makeFolder(spot: Spot, parent: Spot): void {
  mkdirSync(spot, 0o700)
  const around = process.getuid?.() === 0 && seenAt(parent)
  if (around) lchownSync(spot, Number(around.uid), Number(around.gid))
}

/** False where it holds something; gone already is fine. */
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

/** The permission bits of what stands there, which is no link. */
export function setMode(spot: Spot, state: FileState | null): void {
  if (state === null || state.kind === 'link') return
  let fd: number
  try {
    fd = openSync(spot, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    // One may change what one may not read.
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
