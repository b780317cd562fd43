import { CarrelError } from '../../../model/errors.ts'
import type { Act, Author, Change, FilePath, FileState, PlanRequest } from '../../../model/files/history.ts'
import { sameState } from '../../../model/files/history.ts'
import { type Merged, mergeVersions, type Version } from '../../../model/files/merge.ts'
import type { ActId, RunId } from '../../../model/ids.ts'
import type { Book } from '../log/book.ts'
import type { NotedChange } from '../log/query.ts'
import { textVersion, versionOf } from '../log/versions.ts'
import { lastApplies } from './last-apply.ts'

/** Proposed change of one path, before the rules are applied. */
export interface Proposal {
  readonly path: FilePath
  readonly next: Version
  /** True when `next` is a text merged from three. */
  readonly merged: boolean
  /** Number of conflicting hunks. `next` is then the whole proposed content. */
  readonly conflict: number
  /** Newest change by another author that would be lost. */
  readonly lost: Change | null
  /** Runs of which one may have made the change that would be undone. */
  readonly among: readonly RunId[]
  /** The same for a change that was made while no server looked. */
  readonly unwatched: readonly RunId[]
  /** True where nothing is to be undone but coverage, of a path whose earlier content is not known: it is only named. */
  readonly unseen: boolean
  /** All changes of the path, oldest first. */
  readonly changes: () => readonly NotedChange[]
}

/** Inputs of a plan. */
export interface PlanContext {
  readonly book: Book
  /** For `apply`: the source place, and the snapshot where its work began. */
  readonly source: { readonly book: Book; readonly base: number } | null
  readonly actOf: (id: ActId) => Act | null
  /** All acts of the place, newest first. */
  readonly acts: () => readonly Act[]
}

export function proposalsOf(request: PlanRequest, context: PlanContext): Proposal[] {
  if (request.kind === 'restore') return restoring(request.to, context)
  if (request.kind === 'undo') return undoing(request.of, context)
  return applying(request, context)
}

const plain: Omit<Proposal, 'path' | 'next' | 'changes'> = {
  merged: false,
  conflict: 0,
  lost: null,
  among: [],
  unwatched: [],
  unseen: false,
}

function restoring(to: number, { book, actOf }: PlanContext): Proposal[] {
  if (!book.snapshot(to)) throw new CarrelError('gone', `Snapshot ${to} is not kept. Choose one of the list.`)
  const changes = book.betweenWithCoverage(to, book.newest)
  const all = new Map(changes.map(({ path }) => [path, book.changesOf(path)]))
  const since = new Map([...all].map(([path, ever]) => [path, ever.filter(({ n }) => n > to)]))
  const works = new Map([...since].map(([path, all]) => [path, all.filter(isWork())]))
  const isOurs = authorsUndone([...since.values()].flat(), actOf)
  return changes.map(({ path, before }) => ({
    ...plain,
    path,
    next: versionOf(book, before),
    // The author of the content that a path came back with is not known.
    lost: works.get(path)?.findLast((change) => isReturn(change) || !isOurs(change.author)) ?? null,
    unseen: before?.uncovered === true && since.get(path)?.every(isCoverage) === true,
    changes: () => all.get(path) ?? [],
  }))
}

const isCoverage = ({ note }: NotedChange): boolean => note === 'coverage'
/** Whether a path comes back to the history, with a content. */
const isReturn = (change: NotedChange): boolean =>
  isCoverage(change) && change.before?.uncovered === true && change.after !== null && !change.after.uncovered

/** Returns a test of consecutive changes of a path: coverage that left and found the same content is nobody's work. */
function isWork(): (change: NotedChange) => boolean {
  let last: NotedChange['before'] | undefined
  return (change) => {
    const { before, after } = change
    if (last === undefined || !before?.uncovered) last = before
    const isSame = isCoverage(change) && (after?.uncovered === true || sameState(after, last))
    if (!after?.uncovered) last = after
    return !isSame
  }
}

/**
 * Returns a test whose work a restore may revert without asking: that of the only session since, or of people when no
 * session worked. Undos and restores added no new content; an apply did.
 */
export function authorsUndone(since: readonly Change[], actOf: PlanContext['actOf']): (author: Author) => boolean {
  const sessions = new Set(since.flatMap(({ author }) => (author.kind === 'run' ? [author.session] : [])))
  const unknown = since.some(({ author }) => author.kind === 'unknown')
  return (author) => {
    if (author.kind === 'act') return actOf(author.act)?.request.kind !== 'apply'
    if (author.kind === 'run') return sessions.size === 1 && !unknown
    return author.kind === 'outside' && sessions.size === 0 && !unknown
  }
}

type UndoOf = Extract<PlanRequest, { kind: 'undo' }>['of']

/** Undoes changes by content, newest first, so that later ones stay; neighbours of one author at once. */
function undoing(of: UndoOf, { book, actOf }: PlanContext): Proposal[] {
  const byPath = Map.groupBy(changesOf(of, book, actOf), ({ path }) => path)
  return [...byPath].map(([path, all]) => {
    const unseen = all.every(isCoverage) && all[0]?.before?.uncovered === true
    const mine = unseen ? all : withoutEntry(all)
    const numbers = new Set(mine.map(({ n }) => n))
    const isOthers = isWork()
    const ever = book.changesOf(path)
    const since = ever.filter(({ n }) => n >= (mine[0]?.n ?? 0))
    // The author of the content that a path came back with is not known either.
    const kept = since.filter((change) => {
      const isWorkToo = isOthers(change)
      if (isWorkToo && isReturn(change) && !unseen) numbers.delete(change.n)
      return isWorkToo || numbers.has(change.n)
    })
    return {
      ...undoSegments(book, path, segmentsOf(kept, numbers)),
      among: possible(mine.filter(({ certainty }) => certainty !== 'unwatched')),
      unwatched: possible(mine.filter(({ certainty }) => certainty === 'unwatched')),
      unseen,
      changes: () => ever,
    }
  })
}

const possible = (changes: readonly Change[]): RunId[] => [
  ...new Set(changes.flatMap(({ author }) => (author.kind === 'unknown' ? author.among : []))),
]

/** Drops that the path came under the history with a known content: the work since then goes back to that. */
function withoutEntry(mine: readonly NotedChange[]): readonly NotedChange[] {
  const [first] = mine
  const isEntry = first && isCoverage(first) && first.before?.uncovered && first.after
  return isEntry ? mine.slice(1) : mine
}

function changesOf(of: UndoOf, book: Book, actOf: PlanContext['actOf']): NotedChange[] {
  if (of.kind === 'run') return book.changesBy({ run: of.run })
  if (of.kind === 'session') return book.changesBy({ session: of.session })
  if (of.kind === 'snapshot' && !book.snapshot(of.n))
    throw new CarrelError('gone', `Snapshot ${of.n} is not kept. Choose one of the list.`)
  if (of.kind === 'act' && !actOf(of.act))
    throw new CarrelError('not_found', 'This restore, undo or apply was not made here. Choose one of the list.')
  return book.changesBy(of.kind === 'act' ? { act: of.act } : { n: of.n })
}

/** Consecutive changes of one path, to be undone all or none. */
interface Segment {
  readonly mine: boolean
  readonly first: Change
  readonly last: Change
  /** Last known state of the segment: the base of a merge with later work. */
  readonly base: FileState | null
}

function segmentsOf(changes: readonly NotedChange[], mine: ReadonlySet<number>): Segment[] {
  const segments: Segment[] = []
  for (const [at, change] of changes.entries()) {
    const newest = segments.at(-1)
    const one = { mine: mine.has(change.n), last: change, base: baseOf(change, changes[at + 1]) }
    if (newest?.mine === one.mine) segments[segments.length - 1] = { ...newest, ...one }
    else segments.push({ ...one, first: change })
  }
  return segments
}

/** A path that left the history was as before, unless its return is work of its own. */
const baseOf = (last: NotedChange, following: NotedChange | undefined): FileState | null =>
  isCoverage(last) && last.after?.uncovered && !following?.before?.uncovered ? last.before : last.after

type Undone = Omit<Proposal, 'changes'>

function undoSegments(book: Book, path: FilePath, segments: readonly Segment[]): Undone {
  const now = book.stateAt(path, book.newest)
  // The present content of an uncovered path is not known: the last known one stands for it.
  let next = versionOf(book, now?.uncovered ? (segments.at(-1)?.base ?? null) : now)
  let merged = false
  for (const { mine, first, base } of segments.toReversed()) {
    if (!mine) continue
    const one = mergeVersions({ base: versionOf(book, base), ours: next, theirs: versionOf(book, first.before) })
    if (one.kind === 'conflict') return whole(book, path, segments, one.hunks)
    merged ||= one.kind === 'text'
    next = madeOf(one)
  }
  return { ...plain, path, next, merged }
}

/** Proposes the state before all segments: the result when a person confirms the conflicts. */
function whole(book: Book, path: FilePath, segments: readonly Segment[], conflict: number): Undone {
  const lost = segments.findLast(({ mine }) => !mine)?.last ?? null
  return { ...plain, path, next: versionOf(book, segments[0]?.first.before ?? null), conflict, lost }
}

/** Merges path by path from the last common state: the last apply that still counts, else the start of the project. */
function applying(request: PlanRequest, context: PlanContext): Proposal[] {
  const { book, source } = context
  if (!source) throw new CarrelError('bad_input', 'Only a project with its own working copy can be applied.')
  const from = source.book
  const last = lastApplies(context, source, request)
  const paths = new Set([...from.between(source.base, from.newest).map(({ path }) => path), ...last.paths])
  return [...paths].map((path) => {
    const { at, putBack } = last.of(path)
    const ours = versionOf(book, book.stateAt(path, book.newest))
    const theirs = versionOf(from, from.stateAt(path, from.newest))
    const one = mergeVersions({ base: versionOf(from, from.stateAt(path, at)), ours, theirs })
    const lost = book.lastChange(path)
    const common = { ...plain, path, changes: () => book.changesOf(path) }
    if (one.kind === 'conflict') return { ...common, next: theirs, conflict: one.hunks, lost: ours.state && lost }
    return { ...common, next: madeOf(one), merged: one.kind === 'text', lost: putBack ? lost : null }
  })
}

function madeOf(merged: Exclude<Merged, { kind: 'conflict' }>): Version {
  if (merged.kind === 'as') return merged.version
  if (merged.kind === 'text') return textVersion(merged.text, merged.mode)
  const { state, bytes } = merged.content
  return { state: state && { ...state, mode: merged.mode }, bytes }
}
