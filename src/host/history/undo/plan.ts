import { hash } from 'node:crypto'
import { canonical } from '../../../model/canonical.ts'
import { CarrelError } from '../../../model/errors.ts'
import { choose, conflictsOf, type Guard, type PlanChoice, type PlanDecisions } from '../../../model/files/conflicts.ts'
import type { FileDiff, FilePath, Gap, Plan, PlanEntry, PlanRequest } from '../../../model/files/history.ts'
import { sameState } from '../../../model/files/history.ts'
import { compareVersions, pickHunks } from '../../../model/files/hunks.ts'
import { textOf, type Version } from '../../../model/files/merge.ts'
import { globMatches } from '../../../model/glob.ts'
import type { PlanAsk, ScanRequest } from '../history.ts'
import type { Book, PlannedIgnores } from '../log/book.ts'
import { comparePaths, foldersAbove } from '../log/paths.ts'
import { isFolder, textVersion, versionOf } from '../log/versions.ts'
import { isGitignore } from '../scan/ignore.ts'
import { copiesAtRisk, movedContent, type OnlyCopy } from './only-copy.ts'
import { type Shaped, shape, spreadConflicts } from './plan-shape.ts'
import { type PlanContext, type Proposal, proposalsOf } from './proposals.ts'
import { isOnDisk } from './reach.ts'

/** Plan with the new content of each path. */
export interface Planned {
  readonly plan: Plan
  readonly next: ReadonlyMap<FilePath, Version>
}

/** Number of gaps in a plan; `history.gaps` has all of them. */
const MOST_GAPS = 500

/** Captures the place, then plans the writes. The same request over the same files gives the same plan. */
export async function makePlan(context: PlanContext, ask: PlanAsk): Promise<Planned> {
  const { book, source } = context
  const scan: ScanRequest = { at: 'everything', paths: [], reason: 'before_act', writers: ask.writers, now: ask.now }
  await book.capture(scan)
  if (source) await source.book.capture({ ...scan, writers: ask.source?.writers ?? [] })
  const { request } = ask
  const chosen = choosing(request)
  const all = proposalsOf(request, context)
  const proposed = all.filter(({ path }) => chosen(path))
  const wanted = proposed.filter(({ unseen }) => !unseen)
  const shaped = shape(book, pick(book, request, wanted).map(withoutPrivileges(book)).filter(isNews(book)))
  const guard: Guard = { rules: ask.paths, active: ask.active, matches: globMatches }
  const drafts = shaped.toSorted((a, b) => comparePaths(a.proposal.path, b.proposal.path))
  const isOnlyCopy = copiesAtRisk(
    book,
    drafts.map(({ proposal }) => proposal),
    movedContent(context, request, all),
  )
  const next = new Map(drafts.map(({ proposal }) => [proposal.path, proposal.next]))
  const excluded = book.excludes(plannedIgnores(next))
  const entries = spreadConflicts(drafts.map((one) => entryOf(book, one, { guard, isOnlyCopy, excluded })))
  const gaps = [...book.gaps().filter(({ path }) => chosen(path)), ...unseenGaps(book, proposed)]
  return {
    plan: { request, entries, gaps: gaps.slice(0, MOST_GAPS), digest: hash('sha256', canonical({ request, entries })) },
    next,
  }
}

/** Returns the effect of the plan on one path, with all hunks. */
export async function planDiff(context: PlanContext, ask: PlanAsk, path: FilePath): Promise<FileDiff> {
  const { hunks: _, ...request } = ask.request
  const { next } = await makePlan(context, { ...ask, request })
  const now = present(context.book, path)
  return compareVersions(path, now, next.get(path) ?? now)
}

const present = (book: Book, path: FilePath): Version => versionOf(book, book.stateAt(path, book.newest))

const PRIVILEGES = 0o6000

/** A file that gets another content loses setuid and setgid: the rights of a program must not pass to it. */
const withoutPrivileges =
  (book: Book) =>
  (proposal: Proposal): Proposal => {
    const { state } = proposal.next
    if (state?.kind !== 'file' || (state.mode & PRIVILEGES) === 0) return proposal
    if (book.stateAt(proposal.path, book.newest)?.digest === state.digest) return proposal
    return { ...proposal, next: { ...proposal.next, state: { ...state, mode: state.mode & ~PRIVILEGES } } }
  }

const isNews =
  (book: Book) =>
  ({ path, next: { state } }: Proposal): boolean => {
    const now = book.stateAt(path, book.newest)
    if (sameState(now, state)) return false
    return !now?.uncovered || !isOnDisk(book.root, path, state)
  }

/** Returns the outermost paths without a known earlier content, as gaps of the plan. */
function unseenGaps(book: Book, proposals: readonly Proposal[]): Gap[] {
  const unseen = new Map(proposals.flatMap(({ path, next, unseen }) => (unseen ? [[path, next.state?.size]] : [])))
  return [...unseen]
    .filter(([path]) => book.gapAt(path)?.path !== path && !foldersAbove(path).some((folder) => unseen.has(folder)))
    .map(([path, bytes]) => ({ path, why: book.gapAt(path)?.why ?? 'ignored', bytes: bytes || null, files: null }))
}

/** Returns a test whether a path is at or below a requested one. */
function choosing({ paths }: PlanRequest): (path: FilePath) => boolean {
  if (!paths) return () => true
  const asked = new Set(paths)
  return (path) => {
    for (let at = path.length; at > 0; at = path.lastIndexOf('/', at - 1)) if (asked.has(path.slice(0, at))) return true
    return false
  }
}

function pick(book: Book, { hunks = [] }: PlanRequest, proposals: readonly Proposal[]): Proposal[] {
  const asked = new Map(hunks.map(({ path, indexes }) => [path, indexes]))
  const stranger = [...asked.keys()].find((path) => !proposals.some((proposal) => proposal.path === path))
  if (stranger !== undefined) throw noHunks(stranger)
  return proposals.map((proposal) => {
    const indexes = asked.get(proposal.path)
    return indexes ? pickFrom(present(book, proposal.path), proposal, indexes) : proposal
  })
}

function pickFrom(now: Version, proposal: Proposal, indexes: readonly number[]): Proposal {
  const [from, to] = [textIn(now), textIn(proposal.next)]
  if (from === null || to === null || proposal.next.state === null) throw noHunks(proposal.path)
  const text = pickHunks(from, to, indexes)
  if (text === to) return proposal
  if (text === from) return { ...proposal, next: now }
  return { ...proposal, next: textVersion(text, proposal.next.state.mode), merged: true }
}

function textIn({ state, bytes }: Version): string | null {
  const content = state?.kind === 'file' ? bytes() : null
  return content && textOf(content)
}

const noHunks = (path: FilePath): CarrelError =>
  new CarrelError('bad_input', `"${path}" has no hunks to choose from in this plan. Name it in paths, or leave it out.`)

interface Checks {
  readonly guard: Guard
  readonly isOnlyCopy: OnlyCopy
  /** Returns why rules will exclude a new state of a path. */
  readonly excluded: ReturnType<Book['excludes']>
}

/** Returns the texts that a plan gives to ignore files. */
function plannedIgnores(planned: Iterable<readonly [FilePath, Version]>): PlannedIgnores {
  const texts = new Map<FilePath, string | null>()
  for (const [path, next] of planned) if (isGitignore(path)) texts.set(path, textIn(next))
  return (path) => texts.get(path)
}

/**
 * Selects the entries of a plan to apply (see `choose`). Where an ignore file is left, new paths that it excludes are
 * left too: they would be no change of the act, and have no undo.
 */
export function chooseFrom(book: Book, { plan, next }: Planned, named: PlanDecisions): PlanChoice {
  const choice = choose(plan, named)
  if (!choice.left.some(isGitignore)) return choice
  const written = new Set(choice.write.map(({ path }) => path))
  const excluded = book.excludes(plannedIgnores([...next].filter(([path]) => written.has(path))))
  const isOut = (entry: PlanEntry) => excluded(entry.path, entry.now, entry.next) !== null
  return {
    write: choice.write.filter((entry) => !isOut(entry)),
    left: [...choice.left, ...choice.write.filter(isOut).map(({ path }) => path)].toSorted(comparePaths),
  }
}

function entryOf(book: Book, { proposal, obstacle }: Shaped, checks: Checks): PlanEntry {
  const { guard, isOnlyCopy, excluded } = checks
  const { path, merged, conflict, lost, among, unwatched } = proposal
  const now = book.stateAt(path, book.newest)
  const next = proposal.next.state
  const folder = [now, next].every((state) => state === null || isFolder(state))
  const loss = {
    path,
    folder,
    conflict,
    among,
    unwatched,
    taken: lost && !folder ? { by: lost.author, at: lost.at } : null,
    // A state that a rule excludes would be no change of the act, and have no undo.
    gap: obstacle ?? book.gapAt(path)?.why ?? missing(book, proposal) ?? excluded(path, now, next),
    onlyCopy: isOnlyCopy(proposal, now),
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

function missing(book: Book, { next: { state }, merged }: Proposal): string | null {
  if (state?.uncovered) return 'the history did not cover its earlier content'
  if (state === null || merged || isFolder(state) || book.kept(state)) return null
  return 'its earlier content is not kept'
}
