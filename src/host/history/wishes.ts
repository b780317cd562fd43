import { CarrelError } from '../../model/errors.ts'
import type { Act, Author, Change, FilePath, PlanRequest } from '../../model/history.ts'
import type { ActId, RunId } from '../../model/ids.ts'
import { type Merged, mergeVersions, type Version } from '../../model/merge.ts'
import type { Book } from './book.ts'
import { lastApplies } from './last-apply.ts'
import { textVersion, versionOf } from './versions.ts'

/** What a request wants of one path, before anybody asked whether it may. */
export interface Wish {
  readonly path: FilePath
  readonly next: Version
  /** `next` is a text merged from three. */
  readonly merged: boolean
  /** Places where somebody else's change meets it. What is wanted then is the whole. */
  readonly conflict: number
  /** The newest change by somebody else that would be gone. */
  readonly lost: Change | null
  /** Runs of which one made what would be taken back. */
  readonly among: readonly RunId[]
}

/** Where plans are made. */
export interface Ground {
  readonly book: Book
  /** `apply`: the place that the work comes from, and the point it began at. */
  readonly source: { readonly book: Book; readonly base: number } | null
  readonly actOf: (id: ActId) => Act | null
  /** All acts of the place, newest first. */
  readonly acts: () => readonly Act[]
}

export function wishesOf(request: PlanRequest, ground: Ground): Wish[] {
  if (request.kind === 'restore') return restoring(request.to, ground)
  if (request.kind === 'undo') return undoing(request.of, ground)
  return applying(request, ground)
}

const plain = { merged: false, conflict: 0, lost: null, among: [] }

function restoring(to: number, { book, actOf }: Ground): Wish[] {
  if (!book.snapshot(to)) throw new CarrelError('gone', `Snapshot ${to} is not kept. Choose one of the list.`)
  const changes = book.between(to, book.newest)
  const since = new Map(changes.map(({ path }) => [path, book.changesOf(path).filter(({ n }) => n > to)]))
  const isOurs = whoGoesBack([...since.values()].flat(), actOf)
  return changes.map(({ path, before }) => ({
    ...plain,
    path,
    next: versionOf(book, before),
    lost: since.get(path)?.findLast(({ author }) => !isOurs(author)) ?? null,
  }))
}

/**
 * Whose work a restore may take without asking: of the one session that worked since, else of people where no session
 * did. Undos and restores brought nothing that the history had not; an apply did.
 */
function whoGoesBack(since: readonly Change[], actOf: Ground['actOf']): (author: Author) => boolean {
  const sessions = new Set(since.flatMap(({ author }) => (author.kind === 'run' ? [author.session] : [])))
  const unknown = since.some(({ author }) => author.kind === 'unknown')
  return (author) => {
    if (author.kind === 'act') return actOf(author.act)?.request.kind !== 'apply'
    if (author.kind === 'run') return sessions.size === 1 && !unknown
    return author.kind === 'outside' && sessions.size === 0 && !unknown
  }
}

type UndoOf = Extract<PlanRequest, { kind: 'undo' }>['of']

/** By content: what came after stays. A path's changes are taken back newest first, those of one author in a row at once. */
function undoing(of: UndoOf, { book, actOf }: Ground): Wish[] {
  const byPath = Map.groupBy(changesOf(of, book, actOf), ({ path }) => path)
  return [...byPath].map(([path, mine]) => {
    const numbers = new Set(mine.map(({ n }) => n))
    const all = book.changesOf(path).filter(({ n }) => n >= (mine[0]?.n ?? 0))
    return {
      ...takeBack(book, path, segmentsOf(all, numbers)),
      among: [...new Set(mine.flatMap(({ author }) => (author.kind === 'unknown' ? author.among : [])))],
    }
  })
}

function changesOf(of: UndoOf, book: Book, actOf: Ground['actOf']): Change[] {
  if (of.kind === 'run') return book.changesBy({ run: of.run })
  if (of.kind === 'session') return book.changesBy({ session: of.session })
  if (of.kind === 'snapshot' && !book.snapshot(of.n))
    throw new CarrelError('gone', `Snapshot ${of.n} is not kept. Choose one of the list.`)
  if (of.kind === 'act' && !actOf(of.act))
    throw new CarrelError('not_found', 'No such restore, undo or apply was carried out here. Choose one of the list.')
  return book.changesBy(of.kind === 'act' ? { act: of.act } : { n: of.n })
}

/** Changes of one path that follow each other, all of them to be taken back or none. */
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

function takeBack(book: Book, path: FilePath, segments: readonly Segment[]): Wish {
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

/** As if nobody had touched it since: what is asked for when others are in the way, and somebody says so. */
function whole(book: Book, path: FilePath, segments: readonly Segment[], conflict: number): Wish {
  const lost = segments.findLast(({ mine }) => !mine)?.last ?? null
  return { ...plain, path, next: versionOf(book, segments[0]?.first.before ?? null), conflict, lost }
}

/** Path by path from where both had the same last: the last apply that still counts, else where the project began. */
function applying(request: PlanRequest, ground: Ground): Wish[] {
  const { book, source } = ground
  if (!source) throw new CarrelError('bad_input', 'Only a project with a place of its own can be applied.')
  const from = source.book
  const last = lastApplies(ground, source, request)
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
