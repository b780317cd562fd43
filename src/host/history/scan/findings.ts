import type { Stats } from 'node:fs'
import type { FilePath, Gap } from '../../../model/files/history.ts'
import type { LeftOutPaths } from '../history.ts'
import type { Content } from '../log/blobs.ts'
import type { GapBook, GapNote } from '../log/gap-book.ts'
import { foldersAbove, parentOf } from '../log/paths.ts'
import { FILE, FOLDER, type Known, type Present } from '../log/present.ts'
import type { Form } from '../log/uncovered.ts'
import {
  type InspectOptions,
  identityOf,
  inspectPath,
  type NewState,
  type Seen,
  type SeenStats,
  statsAt,
} from './inspect.ts'

/** Findings of a scan of some or all paths of a place. They are not written yet. */
export interface Findings {
  /** Changes by path; a null state means that nothing is there any more. */
  readonly changed: Map<FilePath, Found>
  /** Paths whose state was the same before: in the frozen folder, or before the history began. */
  readonly covered: Map<FilePath, Found>
  /** Paths that came under the history, because a rule, a limit or a folder above excludes them no longer. */
  readonly entered: Map<FilePath, Found>
  readonly touched: Map<FilePath, { readonly known: Known; readonly stats: SeenStats }>
  /** Paths of the history that a rule excludes from now on. One that changed before is in `changed` too. */
  readonly left: Map<FilePath, Known>
  /** Null removes a gap. */
  readonly gaps: Map<FilePath, GapNote | null>
}

export interface Found {
  readonly known: Known | null
  readonly state: NewState | null
  readonly stats: SeenStats | null
  /** For a view over a frozen folder: state of the path in that folder, which was its state until now. */
  readonly base?: NewState | undefined
  /** Form until now of a path that the history did not cover, although something was there. */
  readonly uncovered?: Form | null
}

export type Finder = ReturnType<typeof createFinder>

export const isEmpty = (findings: Findings): boolean => isQuiet(findings) && findings.touched.size === 0

/** Whether a power loss would lose nothing: the next walk finds the rest again. */
export const isQuiet = ({ changed, covered, entered, left, gaps }: Findings): boolean =>
  changed.size + covered.size + entered.size + left.size + gaps.size === 0

/** Reasons for which a path stays without content until a rule, a limit, its kind or its rights change. */
const LASTING: readonly string[] = ['ignored', 'too_large', 'special', 'unreadable'] satisfies GapNote['why'][]
export const isLasting = (gap: Pick<GapNote, 'why'> | null): boolean => gap !== null && LASTING.includes(gap.why)

/** Files that Carrel itself writes before it puts them in their place. */
const STAGED = /(^|\/)\.carrel-[^/]*\.tmp$/

/** Returns the left-out paths that came and went, besides those of Carrel itself. Call before the findings are written. */
export function leftOutIn(
  { gaps: found, changed, left: leaving }: Findings,
  gaps: GapBook,
  isThere: (path: FilePath) => boolean,
): LeftOutPaths {
  const leftOut = { came: [] as FilePath[], went: [] as FilePath[], entered: [] as FilePath[], left: [] as FilePath[] }
  for (const [path, gap] of found) {
    if (STAGED.test(path)) continue
    const before = gaps.at(path)
    if (gap !== null) {
      if (leaving.has(path) || changed.get(path)?.state?.uncovered) leftOut.left.push(path)
      else if (before === null && isLasting(gap)) leftOut.came.push(path)
    } else if (!isThere(path)) {
      if (isLasting(before)) leftOut.went.push(path)
    } else if (isLasting(before) && !isOutAbove(found, gaps, path)) leftOut.entered.push(path)
  }
  return leftOut
}

/** Whether a folder above is a gap once the findings are written. */
export const isOutAbove = (found: Findings['gaps'], gaps: GapBook, path: FilePath): boolean =>
  foldersAbove(path).some((folder) => (found.has(folder) ? found.get(folder) : gaps.at(folder)) != null)

/** Yields the found paths that exist and are covered, with what was seen of them. */
export function* standingIn({ changed, covered, entered, touched }: Findings): Iterable<[FilePath, SeenStats | null]> {
  for (const found of [changed, covered, entered])
    for (const [path, { state, stats }] of found) if (state) yield [path, state.kind === FILE ? stats : null]
  for (const [path, { stats }] of touched) yield [path, stats]
}

/** Yields all found content, to be recorded or given up. */
export function* contentsOf({ changed, covered, entered }: Findings): Iterable<Content> {
  for (const { state, base } of [...changed.values(), ...covered.values(), ...entered.values()]) {
    if (state?.content) yield state.content
    if (base?.content) yield base.content
  }
}

const noFindings = (): Findings => ({
  changed: new Map(),
  covered: new Map(),
  entered: new Map(),
  touched: new Map(),
  left: new Map(),
  gaps: new Map(),
})

export function createFinder(options: InspectOptions, present: Present, gaps: GapBook) {
  const findings = noFindings()
  const setGap = createGapSetter(findings, gaps)
  const gone = (path: FilePath, known: Known): void =>
    void findings.changed.set(path, { known, state: null, stats: null })
  const noted: {
    [K in Seen['what']]: (path: FilePath, known: Known | null, seen: Extract<Seen, { what: K }>) => void
  } = {
    same: (path) => setGap(path, null),
    touched: (path, known, { stats }) => {
      setGap(path, null)
      if (known && isNews(known, stats)) findings.touched.set(path, { known, stats })
    },
    changed: (path, known, { state, stats }) => {
      const gap = known ? null : gaps.covering(path)
      const before = gap && isLasting(gap) && isOver(gap, path) ? gap : null
      const own = before?.path === path ? before : null
      const kind = own && isFile(own) ? FILE : state.kind
      const uncovered = before && { kind, mode: state.mode, size: own?.bytes ?? state.size }
      // The file itself became coverable, so that somebody changed it; else a rule, a limit or a folder above did.
      const isChange = before === null || (own && isOutByItself(own, options))
      findings[isChange ? 'changed' : 'entered'].set(path, { known, state, stats, uncovered })
      setGap(path, null)
    },
    gone: (path, known) => {
      setGap(path, null)
      if (known) gone(path, known)
    },
    gap: (path, known, { why, bytes, mode, isNew }) => {
      setGap(path, { why, bytes })
      // An unsteady file will be looked at again; an unreadable one that lstat vouches for is unchanged.
      if (!known || !isNew) return
      const state: NewState = { kind: FILE, mode, size: bytes ?? 0, content: null, uncovered: true }
      findings.changed.set(path, { known, state, stats: null })
    },
  }
  const leave = createLeaver(options, present, findings)
  return {
    findings,
    /** Inspects a path that no rule excludes. */
    inspect(path: FilePath, known: Known | null, stats: Stats | undefined): Seen {
      const seen = inspectPath(options, path, known, stats)
      noted[seen.what](path, known, seen as never)
      return seen
    },
    /** Notes a path that a rule excludes. */
    leaveOut(path: FilePath, stats: Stats): void {
      setGap(path, { why: 'ignored', bytes: stats.isDirectory() ? null : stats.size, identity: identityOf(stats) })
      leave(path, stats)
    },
    /** Notes a folder whose names cannot be read: its known paths stay as they were. */
    unreadable: (folder: FilePath): void => setGap(folder, { why: 'unreadable', bytes: null }),
    gone,
  }
}

/** Returns a function that notes a gap, if it is news; null removes it. */
const createGapSetter = (findings: Findings, gaps: GapBook) => (path: FilePath, gap: GapNote | null) => {
  const now = gaps.at(path)
  // A path that was missed before the import stays missed.
  if (gap === null && (now === null || now.why === 'before_import')) return
  const isSame = gap && now && gap.why === now.why && gap.bytes === now.bytes
  if (isSame && (gap.identity ?? null) === (now.identity ?? null)) findings.gaps.delete(path)
  else findings.gaps.set(path, gap)
}

/** Whether a gap was about this path: below a file there was nothing. */
const isOver = (gap: Gap, path: FilePath): boolean => gap.path === path || !isFile(gap)
const isFile = ({ bytes, why }: GapNote): boolean => bytes !== null || why === 'special'

/** Whether the path itself, and no rule or lower limit, is the reason of its gap. */
const isOutByItself = ({ why, bytes }: GapNote, { maxFileBytes }: InspectOptions): boolean =>
  why === 'special' || why === 'unreadable' || (why === 'too_large' && (bytes ?? 0) > maxFileBytes)

/**
 * Returns a function that ends the coverage of a path and everything below, after a last inspection: a change until now
 * belongs to the history.
 */
function createLeaver(options: InspectOptions, present: Present, { changed, left }: Findings) {
  const leave = (path: FilePath, known: Known, stats: Stats | undefined): void => {
    if (!stats) return void changed.set(path, { known, state: null, stats: null })
    const seen = inspectPath(options, path, known, stats)
    if (seen.what === 'changed') changed.set(path, { known, state: seen.state, stats: seen.stats })
    if (seen.what === 'gone') changed.set(path, { known, state: null, stats: null })
    else left.set(path, known)
  }
  return (path: FilePath, stats: Stats): void => {
    const known = present.get(path)
    if (!known) return
    leave(path, known, stats)
    if (known.kind !== FOLDER) return
    const gone = new Set<FilePath>(stats.isDirectory() ? [] : [path])
    for (const [below, one] of present.below(path)) {
      // A name below a link or a file belongs elsewhere.
      const now = gone.has(parentOf(below)) ? undefined : statsAt(options.root, below)
      if (!now?.isDirectory()) gone.add(below)
      leave(below, one, now)
    }
  }
}

/** The loss of the racy flag alone is not worth a write. */
const isNews = (known: Known, stats: SeenStats): boolean =>
  known.mtime !== stats.mtime || known.ctime !== stats.ctime || known.ino !== stats.ino
