import { choose } from '../../model/conflicts.ts'
import { CarrelError } from '../../model/errors.ts'
import type { Act, Author, FilePath, PlanEntry } from '../../model/history.ts'
import { sameAuthor, sameState } from '../../model/history.ts'
import type { Version } from '../../model/merge.ts'
import type { ActLog, Job, Phase } from './act-log.ts'
import type { Book } from './book.ts'
import { inWords, isFull } from './db.ts'
import type { ApplyPlan, PlanAsk } from './history.ts'
import { codeOf } from './look.ts'
import { doMove, type Hand, isDone, type Move, type Point, setMode, undoMove } from './moves.ts'
import { makePlan } from './plan.ts'
import { atPath, Moved, seenAt, stateOf } from './reach.ts'
import { stageAll, sweep, syncFolders } from './stage.ts'
import { movesOf, type Step, stepsOf } from './step.ts'
import type { Ground } from './wishes.ts'

/** Where acts are carried out and remembered. */
export interface Desk {
  readonly log: ActLog
  /** Called before each step that a crash could come before. */
  readonly point?: Point | undefined
}

/**
 * Does what was planned, or nothing (F3): plans again, and another plan is `stale_plan`. Everything new is on the disk
 * before the first file changes; each is looked at again right before; who was faster stops it, and what was done
 * until then is taken back. A crash at any step is seen to by `recover` (F4).
 */
export async function applyPlan(ground: Ground, ask: PlanAsk, how: ApplyPlan, desk: Desk): Promise<Act> {
  const { book } = ground
  const { plan, next } = await makePlan(ground, ask)
  if (plan.digest !== how.digest) throw stale('What would be written now is not what was looked at.')
  const { write, left } = choose(plan, how)
  const act: Act = {
    id: how.act,
    request: ask.request,
    by: how.by,
    at: ask.now,
    before: book.newest,
    after: book.newest,
    written: write.map(({ path }) => path),
    left: [...left],
    taken: takenBy(write),
    applied: ground.source?.book.newest ?? null,
  }
  if (write.length === 0) {
    desk.log.keep(book.key, act)
    return act
  }
  const job: Job = { act, steps: stepsOf(act.id, write) }
  const hand = handOf(book, desk)
  const under: Under = { book, job, log: desk.log }
  await prepare(hand, under, next)
  const done = await orHalted(async () => goOn(hand, under, false) ?? conclude(hand, under, ask.writers))
  if (done instanceof CarrelError) throw done
  return done
}

/**
 * Sees to an act that was cut, by a crash or because not even the journal could be written, before anything else happens
 * in the place: what was all prepared is finished if the files still are as planned; everything else is taken back.
 */
export async function recover(book: Book, desk: Desk): Promise<void> {
  const job = desk.log.cut(book.key)
  // A place that is not there now waits for its folder.
  if (!job || !seenAt(book.root)?.isDirectory()) return
  await orHalted(() => settle(handOf(book, desk), { book, job, log: desk.log }, job.phase))
}

async function settle(hand: Hand, under: Under, phase: Phase): Promise<void> {
  const { book, job, log } = under
  if (phase === 'staging') {
    sweep(hand, job.steps)
    log.drop(book.key)
  } else if (phase === 'back') {
    takeBack(hand, under, movesOf(job.steps))
  } else if (phase === 'done' || goOn(hand, under, true) === null) {
    await conclude(hand, under, [])
  }
}

/** What is being carried out where. */
interface Under {
  readonly book: Book
  readonly job: Job
  readonly log: ActLog
}

const handOf = ({ root }: Book, { point = () => {} }: Desk): Hand => ({ root, point })

async function prepare(hand: Hand, { book, job, log }: Under, next: ReadonlyMap<FilePath, Version>): Promise<void> {
  try {
    hand.point('begin')
    log.begin(book.key, job)
    await stageAll(hand, job.steps, next)
    hand.point('staged')
    log.phase(book.key, 'staged')
  } catch (error) {
    sweep(hand, job.steps)
    dropLater(() => log.drop(book.key))
    throw untouched(error, book.root)
  }
}

/** A journal that says of nothing that it was begun harms nobody until there is room to clear it. */
function dropLater(drop: () => void): void {
  try {
    drop()
  } catch (error) {
    if (!isFull(error)) throw error
  }
}

/** Everything is as planned when it returns null; else it is as before, and this is why. */
function goOn(hand: Hand, under: Under, resumes: boolean): CarrelError | null {
  const { book, job, log } = under
  const moves = movesOf(job.steps)
  let done = 0
  try {
    for (const move of moves) {
      done += 1
      if (!(resumes && isDone(hand, move))) doMove(hand, move)
    }
    hand.point('sync')
    syncFolders(hand, job.steps)
  } catch (error) {
    hand.point('back')
    log.phase(book.key, 'back')
    // A folder that somebody else was faster to make is theirs.
    if (error instanceof Moved && moves[done - 1]?.kind === 'make') done -= 1
    const left = takeBack(hand, under, resumes ? moves : moves.slice(0, done))
    return untouched(error, book.root, left)
  }
  hand.point('done')
  log.phase(book.key, 'done')
  return null
}

/** As it was before, from the last move to the first. Returns what could not be, because somebody wrote there since. */
function takeBack(hand: Hand, { book, job, log }: Under, moves: readonly Move[]): FilePath[] {
  const left = moves.toReversed().filter((move) => !undone(hand, move))
  // Only now, because a folder may forbid what had to be put into it.
  for (const { kind, step } of moves) if (kind === 'unmake') restoreMode(hand, step)
  syncFolders(hand, job.steps)
  sweep(hand, job.steps)
  hand.point('drop')
  log.drop(book.key)
  return left.map(({ step }) => step.path)
}

function undone(hand: Hand, move: Move): boolean {
  try {
    return undoMove(hand, move)
  } catch (error) {
    if (error instanceof Moved) return false
    throw error
  }
}

function restoreMode({ root }: Hand, { path, now }: Step): void {
  try {
    atPath(root, path, (spot) => seenAt(spot)?.isDirectory() && setMode(spot, now))
  } catch (error) {
    if (!(error instanceof Moved)) throw error
  }
}

async function conclude(hand: Hand, { book, job, log }: Under, writers: PlanAsk['writers']): Promise<Act> {
  hand.point('sweep')
  sweep(hand, job.steps)
  hand.point('capture')
  const { id, by, at, written } = job.act
  // What somebody changed again since is theirs.
  const paths = job.steps.filter((step) => isAsPlanned(hand, step)).map(({ path }) => path)
  const { n } = await book.capture({
    at: 'hints',
    paths: written,
    reason: 'act',
    writers,
    act: { id, by, paths },
    now: at,
  })
  hand.point('keep')
  log.keep(book.key, { ...job.act, after: n })
  return { ...job.act, after: n }
}

function isAsPlanned({ root }: Hand, { path, next }: Step): boolean {
  try {
    return sameState(atPath(root, path, stateOf), next)
  } catch {
    // No longer reachable: not ours.
    return next === null
  }
}

function takenBy(entries: readonly PlanEntry[]): Act['taken'] {
  const taken: { author: Author; paths: FilePath[] }[] = []
  for (const { path, conflicts } of entries) {
    for (const reason of conflicts) {
      if (reason.kind !== 'others_work') continue
      const same = taken.find(({ author }) => sameAuthor(author, reason.by))
      if (same) same.paths.push(path)
      else taken.push({ author: reason.by, paths: [path] })
    }
  }
  return taken
}

/** What was begun and could be neither finished nor taken back stays in the journal: `recover` sees to it. */
async function orHalted<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { code, message } = inWords(error)
    const why = isFull(error) ? 'The disk is full. Make room, then try again.' : message
    const then = 'This stopped half way: it is finished or taken back before anything else happens here.'
    throw new CarrelError(code, `${why} ${then}`, undefined, error)
  }
}

const stale = (what: string, data?: unknown): CarrelError =>
  new CarrelError(
    'stale_plan',
    `${what} Nothing was written. Make the plan again, look at it, then carry it out.`,
    data,
  )

/** Why nothing was written, in words. */
function untouched(error: unknown, root: string, left: readonly FilePath[] = []): CarrelError {
  const data = left.length > 0 ? { left } : undefined
  if (error instanceof Moved) return stale(`"${error.path}" was changed just now.`, data)
  const words = TROUBLE[codeOf(error)] ?? (isFull(error) ? OURS_FULL : undefined)
  if (words === undefined) return inWords(error)
  return new CarrelError('unavailable', `${words(root)} Nothing was written.`, data, error)
}

const FULL = (root: string) => `The disk of ${root} is full: make room, then try again.`
const OURS_FULL = () => 'The disk with the history of files is full: make room, then try again.'
const SHUT = (root: string) => `Carrel may not write everywhere in ${root}: give it access, then try again.`
const TROUBLE: Readonly<Record<string, (root: string) => string>> = {
  ENOSPC: FULL,
  EDQUOT: FULL,
  EACCES: SHUT,
  EPERM: SHUT,
  EROFS: SHUT,
}
