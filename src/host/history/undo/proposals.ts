import { CarrelError } from '../../../model/errors.ts'
import type { Act, Author, Change, FilePath, PlanRequest } from '../../../model/files/history.ts'
import { type Merged, mergeVersions, type Version } from '../../../model/files/merge.ts'
import type { ActId, RunId } from '../../../model/ids.ts'
import type { Book } from '../log/book.ts'
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
  /** Runs of which one made the change that would be undone. */
  readonly among: readonly RunId[]
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

const plain = { merged: false, conflict: 0, lost: null, among: [] }

function restoring(to: number, { book, actOf }: PlanContext): Proposal[] {
  if (!book.snapshot(to)) throw new CarrelError('gone', `Snapshot ${to} is not kept. Choose one of the list.`)
  const changes = book.between(to, book.newest)
  const since = new Map(changes.map(({ path }) => [path, book.changesOf(path).filter(({ n }) => n > to)]))
  const isOurs = authorsUndone([...since.values()].flat(), actOf)
  return changes.map(({ path, before }) => ({
    ...plain,
    path,
    next: versionOf(book, before),
    lost: since.get(path)?.findLast(({ author }) => !isOurs(author)) ?? null,
  }))
}

/**
 * Returns a test whose work a restore may revert without asking: that of the only session since, or of people when no
 * session worked. Undos and restores added no new content; an apply did.
 */
function authorsUndone(since: readonly Change[], actOf: PlanContext['actOf']): (author: Author) => boolean {
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
  return [...byPath].map(([path, mine]) => {
    const numbers = new Set(mine.map(({ n }) => n))
    const all = book.changesOf(path).filter(({ n }) => n >= (mine[0]?.n ?? 0))
    return {
      ...undoSegments(book, path, segmentsOf(all, numbers)),
      among: [...new Set(mine.flatMap(({ author }) => (author.kind === 'unknown' ? author.among : [])))],
    }
  })
}

function changesOf(of: UndoOf, book: Book, actOf: PlanContext['actOf']): Change[] {
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
}

function segmentsOf(changes: readonly Change[], mine: ReadonlySet<number>): Segment[] {
  const segments: Segment[] = []
  for (const change of changes) {
    const newest = segments.at(-1)
    if (newest?.mine === mine.has(change.n)) segments[segments.length - 1] = { ...newest, last: change }
    else segments.push({ mine: mine.has(change.n), first: change, last: change })
  }
  return segments
}

function undoSegments(book: Book, path: FilePath, segments: readonly Segment[]): Proposal {
  let next = versionOf(book, book.stateAt(path, book.newest))
  let merged = false
  for (const { mine, first, last } of segments.toReversed()) {
    if (!mine) continue
    const base = versionOf(book, last.after)
    const one = mergeVersions({ base, ours: next, theirs: versionOf(book, first.before) })
    if (one.kind === 'conflict') return whole(book, path, segments, one.hunks)
    merged ||= one.kind === 'text'
    next = madeOf(one)
  }
  return { ...plain, path, next, merged }
}

/** Proposes the state before all segments: the result when a person confirms the conflicts. */
function whole(book: Book, path: FilePath, segments: readonly Segment[], conflict: number): Proposal {
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
    if (one.kind === 'conflict') return { ...plain, path, next: theirs, conflict: one.hunks, lost: ours.state && lost }
    return { ...plain, path, next: madeOf(one), merged: one.kind === 'text', lost: putBack ? lost : null }
  })
}

function madeOf(merged: Exclude<Merged, { kind: 'conflict' }>): Version {
  if (merged.kind === 'as') return merged.version
  if (merged.kind === 'text') return textVersion(merged.text, merged.mode)
  const { state, bytes } = merged.content
  return { state: state && { ...state, mode: merged.mode }, bytes }
}
