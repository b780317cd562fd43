import type { Stats } from 'node:fs'
import type { FilePath } from '../../../model/files/history.ts'
import type { LeftOutPaths } from '../history.ts'
import type { Content } from '../log/blobs.ts'
import type { GapBook, GapNote } from '../log/gap-book.ts'
import type { Known, Present } from '../log/present.ts'
import { type InspectOptions, inspectPath, type NewState, type Seen, type SeenStats } from './inspect.ts'

/** Findings of a scan of some or all paths of a place. They are not written yet. */
export interface Findings {
  /** Changes by path; a null state means that nothing is there any more. */
  readonly changed: Map<FilePath, Found>
  /** Paths that are covered from now on without an author, because a rule or a limit excluded them before. */
  readonly covered: Map<FilePath, Found>
  readonly touched: Map<FilePath, { readonly known: Known; readonly stats: SeenStats }>
  /** Paths of the history that are no longer covered. */
  readonly uncovered: Map<FilePath, Known>
  /** Null removes a gap. */
  readonly gaps: Map<FilePath, GapNote | null>
}

export interface Found {
  readonly known: Known | null
  readonly state: NewState | null
  readonly stats: SeenStats | null
  /** For a view over a frozen folder: state of the path in that folder, which was its state until now. */
  readonly base?: NewState | undefined
}

export type Finder = ReturnType<typeof createFinder>

export const isEmpty = ({ changed, covered, touched, uncovered, gaps }: Findings): boolean =>
  changed.size + covered.size + touched.size + uncovered.size + gaps.size === 0

/** Whether a power loss would lose nothing: the next walk finds the rest again. */
export const isQuiet = ({ changed, covered, uncovered, gaps }: Findings): boolean =>
  changed.size + covered.size + uncovered.size + gaps.size === 0

/** Returns the left-out paths that came and went. Call before the findings are written. */
export function leftOutIn(
  { gaps: found }: Findings,
  gaps: GapBook,
  isThere: (path: FilePath) => boolean,
): LeftOutPaths {
  const isOut = (gap: GapNote | null) => gap?.why === 'ignored' || gap?.why === 'too_large'
  const [came, went]: [FilePath[], FilePath[]] = [[], []]
  for (const [path, gap] of found) {
    const before = gaps.at(path)
    if (gap === null) {
      if (isOut(before) && !isThere(path)) went.push(path)
    } else if (before === null && isOut(gap)) came.push(path)
  }
  return { came, went }
}

/** Yields all found content, to be recorded or given up. */
export function* contentsOf({ changed, covered }: Findings): Iterable<Content> {
  for (const { state, base } of [...changed.values(), ...covered.values()]) {
    if (state?.content) yield state.content
    if (base?.content) yield base.content
  }
}

const noFindings = (): Findings => ({
  changed: new Map(),
  covered: new Map(),
  touched: new Map(),
  uncovered: new Map(),
  gaps: new Map(),
})

export function createFinder(options: InspectOptions, present: Present, gaps: GapBook) {
  const findings = noFindings()
  const setGap = (path: FilePath, gap: GapNote | null) => {
    const now = gaps.at(path)
    // A path that was missed before the import stays missed.
    if (gap === null && (now === null || now.why === 'before_import')) return
    if (gap && now && gap.why === now.why && gap.bytes === now.bytes) findings.gaps.delete(path)
    else findings.gaps.set(path, gap)
  }
  const uncover = (path: FilePath) => {
    const known = present.get(path)
    if (!known) return
    findings.uncovered.set(path, known)
    for (const [below, one] of present.below(path)) findings.uncovered.set(below, one)
  }
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
      const before = known ? null : gaps.covering(path)?.why
      const silent = before === 'ignored' || before === 'too_large' || before === 'special'
      findings[silent ? 'covered' : 'changed'].set(path, { known, state, stats })
      setGap(path, null)
    },
    gone: (path, known) => {
      setGap(path, null)
      if (known) gone(path, known)
    },
    gap: (path, _, { why, bytes }) => {
      setGap(path, { why, bytes })
      // An unsteady or unreadable file was there before and will be there again.
      if (why === 'too_large' || why === 'special') uncover(path)
    },
  }
  return {
    findings,
    /** Inspects a path that no rule excludes. */
    inspect(path: FilePath, known: Known | null, stats: Stats | undefined): Seen {
      const seen = inspectPath(options, path, known, stats)
      noted[seen.what](path, known, seen as never)
      return seen
    },
    /** Notes a path that a rule excludes. */
    leaveOut(path: FilePath, bytes: number | null): void {
      setGap(path, { why: 'ignored', bytes })
      uncover(path)
    },
    /** Notes a folder whose names cannot be read: its known paths stay as they were. */
    unreadable: (folder: FilePath): void => setGap(folder, { why: 'unreadable', bytes: null }),
    gone,
  }
}

/** The loss of the racy flag alone is not worth a write. */
const isNews = (known: Known, stats: SeenStats): boolean =>
  known.mtime !== stats.mtime || known.ctime !== stats.ctime || known.ino !== stats.ino
