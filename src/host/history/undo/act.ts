import { CarrelError } from '../../../model/errors.ts'
import type { Act, Author, FilePath, PlanEntry } from '../../../model/files/history.ts'
import { sameAuthor, sameState } from '../../../model/files/history.ts'
import type { Version } from '../../../model/files/merge.ts'
import { type Attributes, attributesAt } from '../../attributes.ts'
import type { ApplyPlan, PlanAsk } from '../history.ts'
import type { Book } from '../log/book.ts'
import { explainError, isFull } from '../log/db.ts'
import { type ActStep, movesOf, stepsOf } from '../log/step.ts'
import { codeOf } from '../scan/inspect.ts'
import type { ActJob, ActLog, Phase } from './act-log.ts'
import { type CrashPoint, doMove, isDone, type Move, type Site, setMode, undoMove } from './moves.ts'
import { chooseFrom, makePlan } from './plan.ts'
import type { PlanContext } from './proposals.ts'
import { atPath, Moved, seenAt, stateOf } from './reach.ts'
import { stageAll, sweep, syncFolders } from './stage.ts'

/** Log of acts, and the crash points of tests. */
export interface Journal {
  readonly log: ActLog
  /** Called before each step that a crash could interrupt. */
  readonly point?: CrashPoint | undefined
}

/**
 * Applies a plan atomically (F3). Plans again first; a different plan is `stale_plan`. All new content is on disk
 * before the first file changes, and each file is checked right before its change. A concurrent writer stops the act,
 * and the changes so far are rolled back. After a crash at any step, `recover` completes it (F4).
 */
export async function applyPlan(context: PlanContext, ask: PlanAsk, how: ApplyPlan, journal: Journal): Promise<Act> {
  const { book } = context
  const planned = await makePlan(context, ask)
  const { plan, next } = planned
  if (plan.digest !== how.digest) throw stale('The plan has changed since you reviewed it.')
  const { write, left } = chooseFrom(book, planned, how)
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
    applied: context.source?.book.newest ?? null,
  }
  if (write.length === 0) {
    journal.log.keep(book.key, act)
    return act
  }
  const done = await atSite(book, journal, async (site) => {
    const steps = stepsOf(act.id, write).map((step) => withAttributes(site, book, step))
    const current: ActInProgress = { book, job: { act, steps }, log: journal.log }
    const notices = await prepare(site, current, next)
    return await orHalted(async () => goOn(site, current, false) ?? conclude(site, current, ask.writers, notices))
  })
  if (done instanceof CarrelError) throw done
  return done
}

/**
 * Completes an act that a crash or an unwritable journal interrupted, before anything else happens in the place. An act
 * that was fully prepared is finished if the files are still as planned; any other is rolled back.
 */
export async function recover(book: Book, journal: Journal): Promise<void> {
  const job = journal.log.cut(book.key)
  // A missing place waits for its folder.
  if (!job || !isStanding(book)) return
  await orHalted(() => atSite(book, journal, (site) => settle(site, { book, job, log: journal.log }, job.phase)))
}

function isStanding(book: Book): boolean {
  try {
    book.holdRoot().release()
    return true
  } catch (error) {
    if (error instanceof CarrelError && error.code === 'gone') return false
    throw error
  }
}

async function settle(site: Site, current: ActInProgress, phase: Phase): Promise<void> {
  const { book, job, log } = current
  if (phase === 'staging') {
    sweep(site, job.steps)
    log.drop(book.key)
  } else if (phase === 'back') {
    rollBack(site, current, movesOf(job.steps))
  } else if (phase === 'done' || goOn(site, current, true) === null) {
    await conclude(site, current, [])
  }
}

/** Act under way, with its place and its log. */
interface ActInProgress {
  readonly book: Book
  readonly job: ActJob
  readonly log: ActLog
}

/** Works in the folder of the place, which is held: an act never goes on in a folder that replaced it. */
async function atSite<T>(book: Book, { point = () => {} }: Journal, work: (site: Site) => Promise<T>): Promise<T> {
  const held = book.holdRoot()
  try {
    return await work({ root: held.path, point })
  } finally {
    held.release()
  }
}

/** Adds the attributes of a path that comes back, and of a folder that goes, since a rollback makes it again. */
function withAttributes({ root }: Site, book: Book, step: ActStep): ActStep {
  const { path, now, next } = step
  if (now?.kind === next?.kind) return step
  const attributes = next === null ? onDisk(root, path) : book.attributesOf(path)
  return attributes ? { ...step, attributes } : step
}

function onDisk(root: string, path: FilePath): Attributes | null {
  try {
    return atPath(root, path, (spot) => (seenAt(spot)?.isDirectory() ? attributesAt(spot) : null))
  } catch (error) {
    // A concurrent write: the move itself finds it.
    if (error instanceof Moved) return null
    throw error
  }
}

async function prepare(
  site: Site,
  { book, job, log }: ActInProgress,
  next: ReadonlyMap<FilePath, Version>,
): Promise<string[]> {
  try {
    site.point('begin')
    log.begin(book.key, job)
    const notices = await stageAll(site, job.steps, next)
    site.point('staged')
    log.phase(book.key, 'staged')
    return notices
  } catch (error) {
    sweep(site, job.steps)
    dropLater(() => log.drop(book.key))
    throw untouched(error, book.root)
  }
}

/** A journal entry in phase `staging` does no harm until there is space to remove it. */
function dropLater(drop: () => void): void {
  try {
    drop()
  } catch (error) {
    if (!isFull(error)) throw error
  }
}

/** Writes all moves. Returns null when everything is as planned, else the reason, with everything as before. */
function goOn(site: Site, current: ActInProgress, resumes: boolean): CarrelError | null {
  const { book, job, log } = current
  const moves = movesOf(job.steps)
  let done = 0
  try {
    for (const move of moves) {
      done += 1
      if (!(resumes && isDone(site, move))) doMove(site, move)
    }
    site.point('sync')
    syncFolders(site, job.steps)
  } catch (error) {
    site.point('back')
    log.phase(book.key, 'back')
    // A folder that another program made first is not ours.
    if (error instanceof Moved && moves[done - 1]?.kind === 'make') done -= 1
    const left = rollBack(site, current, resumes ? moves : moves.slice(0, done))
    return untouched(error, book.root, left)
  }
  site.point('done')
  log.phase(book.key, 'done')
  return null
}

/** Rolls back from the last move. Returns the paths that a later write kept from being restored. */
function rollBack(site: Site, { book, job, log }: ActInProgress, moves: readonly Move[]): FilePath[] {
  const left = moves.toReversed().filter((move) => !undone(site, move))
  // Modes come last, because a folder may forbid what had to be put into it.
  for (const { kind, step } of moves) if (kind === 'unmake') restoreMode(site, step)
  syncFolders(site, job.steps)
  sweep(site, job.steps)
  site.point('drop')
  log.drop(book.key)
  return left.map(({ step }) => step.path)
}

function undone(site: Site, move: Move): boolean {
  try {
    return undoMove(site, move)
  } catch (error) {
    if (error instanceof Moved) return false
    throw error
  }
}

function restoreMode({ root }: Site, { path, now }: ActStep): void {
  try {
    atPath(root, path, (spot) => seenAt(spot)?.isDirectory() && setMode(spot, now))
  } catch (error) {
    if (!(error instanceof Moved)) throw error
  }
}

async function conclude(
  site: Site,
  { book, job, log }: ActInProgress,
  writers: PlanAsk['writers'],
  notices: readonly string[] = [],
): Promise<Act> {
  site.point('sweep')
  sweep(site, job.steps)
  site.point('capture')
  const { id, by, at, written } = job.act
  // A path that changed again since the act does not belong to it.
  const paths = job.steps.filter((step) => isAsPlanned(site, step)).map(({ path }) => path)
  const { n } = await book.capture({
    at: 'hints',
    paths: written,
    reason: 'act',
    writers,
    act: { id, by, paths },
    now: at,
  })
  site.point('keep')
  const act = { ...job.act, after: n, ...(notices.length > 0 && { notices: shortened(notices) }) }
  log.keep(book.key, act)
  return act
}

const MOST_NOTICES = 20

function shortened(notices: readonly string[]): string[] {
  const more = notices.length - MOST_NOTICES
  return more > 0 ? [...notices.slice(0, MOST_NOTICES), `This holds for ${more} more files.`] : [...notices]
}

function isAsPlanned({ root }: Site, { path, next }: ActStep): boolean {
  try {
    return sameState(atPath(root, path, stateOf), next)
  } catch {
    // A path that is no longer reachable does not belong to this act.
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

/** Explains an act that could be neither finished nor rolled back. The journal keeps it for `recover`. */
async function orHalted<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { code, message } = explainError(error)
    const why = isFull(error) ? 'The disk is full. Make room, then try again.' : message
    const then = 'The operation stopped half way, and is finished or rolled back before anything else happens here.'
    throw new CarrelError(code, `${why} ${then}`, undefined, error)
  }
}

const stale = (what: string, data?: unknown): CarrelError =>
  new CarrelError('stale_plan', `${what} Nothing was written. Make the plan again, review it, then apply it.`, data)

/** Returns the error that says why nothing was written. */
function untouched(error: unknown, root: string, left: readonly FilePath[] = []): CarrelError {
  const data = left.length > 0 ? { left } : undefined
  if (error instanceof Moved) return stale(`"${error.path}" was changed just now.`, data)
  const sentence = TROUBLE[codeOf(error)] ?? (isFull(error) ? OURS_FULL : undefined)
  if (sentence === undefined) return explainError(error)
  return new CarrelError('unavailable', `${sentence(root)} Nothing was written.`, data, error)
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
