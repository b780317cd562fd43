import { hash } from 'node:crypto'
import { canonical } from '../../model/canonical.ts'
import { conflictsOf, type Guard } from '../../model/conflicts.ts'
import { CarrelError } from '../../model/errors.ts'
import { globMatches } from '../../model/glob.ts'
import type { FileDiff, FilePath, Plan, PlanEntry, PlanRequest } from '../../model/history.ts'
import { sameState } from '../../model/history.ts'
import { compareVersions, pickHunks } from '../../model/hunks.ts'
import { textOf, type Version } from '../../model/merge.ts'
import type { Book } from './book.ts'
import type { Look, PlanAsk } from './history.ts'
import { comparePaths } from './paths.ts'
import { joinFates, type Shaped, shape } from './plan-shape.ts'
import { isFolder, textVersion, versionOf } from './versions.ts'
import { type Ground, type Wish, wishesOf } from './wishes.ts'

/** A plan, and what it would write where. */
export interface Planned {
  readonly plan: Plan
  readonly next: ReadonlyMap<FilePath, Version>
}

/** Gaps that a plan tells of; all of them are in `history.gaps`. */
const MOST_GAPS = 500

/** Looks at the disk, then says what would be written. The same question over the same files gives the same plan. */
export async function makePlan(ground: Ground, ask: PlanAsk): Promise<Planned> {
  const { book, source } = ground
  const look: Look = { at: 'everything', paths: [], reason: 'before_act', writers: ask.writers, now: ask.now }
  await book.capture(look)
  if (source) await source.book.capture({ ...look, writers: ask.source?.writers ?? [] })
  const { request } = ask
  const chosen = choosing(request)
  const wanted = wishesOf(request, ground).filter(({ path }) => chosen(path))
  const shaped = shape(book, pick(book, request, wanted).filter(isNews(book)))
  const guard: Guard = { rules: ask.paths, active: ask.active, matches: globMatches }
  const drafts = shaped.toSorted((a, b) => comparePaths(a.wish.path, b.wish.path))
  const entries = joinFates(drafts.map((one) => entryOf(book, one, guard)))
  const gaps = book.gaps().filter(({ path }) => chosen(path))
  return {
    plan: { request, entries, gaps: gaps.slice(0, MOST_GAPS), digest: hash('sha256', canonical({ request, entries })) },
    next: new Map(drafts.map(({ wish }) => [wish.path, wish.next])),
  }
}

/** What the plan would do to one path, whatever hunks were chosen. */
export async function planDiff(ground: Ground, ask: PlanAsk, path: FilePath): Promise<FileDiff> {
  const { hunks: _, ...request } = ask.request
  const { next } = await makePlan(ground, { ...ask, request })
  const now = present(ground.book, path)
  return compareVersions(path, now, next.get(path) ?? now)
}

const present = (book: Book, path: FilePath): Version => versionOf(book, book.stateAt(path, book.newest))

const isNews =
  (book: Book) =>
  ({ path, next }: Wish): boolean =>
    !sameState(book.stateAt(path, book.newest), next.state)

/** Whether a path is at or below one that was asked for. */
function choosing({ paths }: PlanRequest): (path: FilePath) => boolean {
  if (!paths) return () => true
  const asked = new Set(paths)
  return (path) => {
    for (let at = path.length; at > 0; at = path.lastIndexOf('/', at - 1)) if (asked.has(path.slice(0, at))) return true
    return false
  }
}

function pick(book: Book, { hunks = [] }: PlanRequest, wishes: readonly Wish[]): Wish[] {
  const asked = new Map(hunks.map(({ path, indexes }) => [path, indexes]))
  const stranger = [...asked.keys()].find((path) => !wishes.some((wish) => wish.path === path))
  if (stranger !== undefined) throw noHunks(stranger)
  return wishes.map((wish) => {
    const indexes = asked.get(wish.path)
    return indexes ? pickFrom(present(book, wish.path), wish, indexes) : wish
  })
}

function pickFrom(now: Version, wish: Wish, indexes: readonly number[]): Wish {
  const [from, to] = [textIn(now), textIn(wish.next)]
  if (from === null || to === null || wish.next.state === null) throw noHunks(wish.path)
  const text = pickHunks(from, to, indexes)
  if (text === to) return wish
  if (text === from) return { ...wish, next: now }
  return { ...wish, next: textVersion(text, wish.next.state.mode), merged: true }
}

function textIn({ state, bytes }: Version): string | null {
  const content = state?.kind === 'file' ? bytes() : null
  return content && textOf(content)
}

const noHunks = (path: FilePath): CarrelError =>
  new CarrelError('bad_input', `"${path}" has no hunks to choose from in this plan. Name it in paths, or leave it out.`)

function entryOf(book: Book, { wish, hindrance }: Shaped, guard: Guard): PlanEntry {
  const { path, merged, conflict, lost, among } = wish
  const now = book.stateAt(path, book.newest)
  const next = wish.next.state
  const folder = [now, next].every((state) => state === null || isFolder(state))
  const loss = {
    path,
    folder,
    conflict,
    among,
    taken: lost && !folder ? { by: lost.author, at: lost.at } : null,
    gap: hindrance ?? book.gapAt(path)?.why ?? missing(book, wish),
  }
  return {
    path,
    now,
    next,
    how: next === null ? 'delete' : merged ? 'merge' : 'write',
    author: now && (book.lastChange(path)?.author ?? null),
    conflicts: conflictsOf(loss, guard),
  }
}

function missing(book: Book, { next: { state }, merged }: Wish): string | null {
  if (state === null || merged || isFolder(state) || book.kept(state)) return null
  return 'its content of then is not kept'
}
