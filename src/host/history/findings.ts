import type { Stats } from 'node:fs'
import type { FilePath } from '../../model/history.ts'
import type { Content } from './blobs.ts'
import type { GapBook, GapNote } from './gap-book.ts'
import type { LeftOut } from './history.ts'
import { type Eye, type LookStats, lookAt, type NewState, type Seen } from './look.ts'
import type { Known, Present } from './present.ts'

/** What looking at some paths of a place, or at all of them, brought up. Nothing is written yet. */
export interface Findings {
  /** By path; a null state is nothing there any more. */
  readonly changed: Map<FilePath, Found>
  /** Covered from now on, and nobody's change: a rule or a limit was in the way before. */
  readonly covered: Map<FilePath, Found>
  readonly touched: Map<FilePath, { readonly known: Known; readonly stats: LookStats }>
  /** In the history so far and no longer covered. */
  readonly uncovered: Map<FilePath, Known>
  /** Null takes a gap away. */
  readonly gaps: Map<FilePath, GapNote | null>
}

export interface Found {
  readonly known: Known | null
  readonly state: NewState | null
  readonly stats: LookStats | null
  /** For a view over a frozen folder: what the path is there, which is its state until now. */
  readonly base?: NewState | undefined
}

export interface Finder {
  readonly findings: Findings
  /** Looks at a path that no rule leaves out. */
  look(path: FilePath, known: Known | null, stats: Stats | undefined): Seen
  /** A rule leaves it out. */
  leaveOut(path: FilePath, bytes: number | null): void
  /** A folder whose names cannot be read: what is known of it stays as it was. */
  unreadable(folder: FilePath): void
  gone(path: FilePath, known: Known): void
}

export const isEmpty = ({ changed, covered, touched, uncovered, gaps }: Findings): boolean =>
  changed.size + covered.size + touched.size + uncovered.size + gaps.size === 0

/** Nothing that a loss of power could take away: the next walk finds it again. */
export const isQuiet = ({ changed, covered, uncovered, gaps }: Findings): boolean =>
  changed.size + covered.size + uncovered.size + gaps.size === 0

/** Asked before the findings are written. @param isThere whether something stands at a path now */
export function leftOutIn({ gaps: found }: Findings, gaps: GapBook, isThere: (path: FilePath) => boolean): LeftOut {
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

/** All content that was found, which is to be recorded or given up. */
export function* contentsOf({ changed, covered }: Findings): Iterable<Content> {
  for (const { state, base } of [...changed.values(), ...covered.values()]) {
    if (state?.content) yield state.content
    if (base?.content) yield base.content
  }
}

export function createFinder(eye: Eye, present: Present, gaps: GapBook): Finder {
  const findings: Findings = {
    changed: new Map(),
    covered: new Map(),
    touched: new Map(),
    uncovered: new Map(),
    gaps: new Map(),
  }
  const setGap = (path: FilePath, gap: GapNote | null) => {
    const now = gaps.at(path)
    // What was missed before the import stays missed.
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
  const gone = (path: FilePath, known: Known) => findings.changed.set(path, { known, state: null, stats: null })
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
      // What does not hold still or cannot be read was there before and will be again.
      if (why === 'too_large' || why === 'special') uncover(path)
    },
  }
  return {
    findings,
    look(path, known, stats) {
      const seen = lookAt(eye, path, known, stats)
      noted[seen.what](path, known, seen as never)
      return seen
    },
    leaveOut(path, bytes) {
      setGap(path, { why: 'ignored', bytes })
      uncover(path)
    },
    unreadable: (folder) => setGap(folder, { why: 'unreadable', bytes: null }),
    gone,
  }
}

/** That it is no longer racy alone is not worth a write. */
const isNews = (known: Known, stats: LookStats): boolean =>
  known.mtime !== stats.mtime || known.ctime !== stats.ctime || known.ino !== stats.ino
