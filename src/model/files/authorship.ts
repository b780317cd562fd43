import type { RunId, SessionId } from '../ids.ts'
import type { Author, Certainty, FilePath, PlanEntry } from './history.ts'

/**
 * Decides who made a change. Two things count: the spans of time in which each run could write, and the time in which
 * the path got its present state. Both are by the clock that stamps files, in ms.
 */

/**
 * A run's part in a span. `work`: it may write. `silent`: it says nothing and runs no tool, but its process lives.
 * `waits`: a person has to answer first. `unwatched`: it may have gone on while no server was there.
 */
export type SpanKind = 'work' | 'silent' | 'waits' | 'unwatched'

export interface Span {
  readonly kind: SpanKind
  readonly from: number
  /** Null: it goes on. */
  readonly to: number | null
}

/** A run of a place, with the paths it is known to have written there since the last scan. */
export interface Writer {
  readonly run: RunId
  readonly session: SessionId
  /** Paths that its tool calls reported as written, or that it wrote through ACP file requests. */
  readonly named: readonly FilePath[]
  /** The oldest first, without an overlap. Empty: the run has not begun. */
  readonly spans: readonly Span[]
}

/** The time in which a path got its present state. */
export interface Moment {
  readonly from: number
  /** Infinity when only the scan bounds it. */
  readonly to: number
  /** True when the file at the path was itself changed at `from`: later, at most a folder above it was moved. */
  readonly stamped: boolean
}

export interface Attribution {
  readonly author: Author
  readonly certainty: Certainty
}

/**
 * Attributes a change between two scans. `sole`: one run alone could write. `reported`: of several possible runs, the
 * only one that named the path. `overlapping`: a person, or one of these runs. `unwatched`: the same, while no server
 * looked. `external`: no run was there.
 */
export function attribute(path: FilePath, at: Moment, writers: readonly Writer[]): Attribution {
  const parts = writers.flatMap((writer) => {
    const kind = partIn(writer.spans, at)
    return kind === null ? [] : [{ writer, kind }]
  })
  const able = parts.filter(({ kind }) => kind !== 'waits')
  const [first, ...more] = able
  if (first?.kind === 'work' && more.length === 0) return { author: runOf(first.writer), certainty: 'sole' }
  const [only, ...others] = able.filter(({ writer }) => writer.named.includes(path))
  if (only && others.length === 0) return { author: runOf(only.writer), certainty: 'reported' }
  const possible = first ? able : parts
  if (possible.length === 0) return { author: { kind: 'outside' }, certainty: 'external' }
  const among = possible.map(({ writer }) => writer.run)
  const unwatched = possible.every(({ kind }) => kind === 'unwatched')
  return { author: { kind: 'unknown', among }, certainty: unwatched ? 'unwatched' : 'overlapping' }
}

const runOf = ({ run, session }: Writer): Author => ({ kind: 'run', run, session })

/** The strongest first. A time without a server proves nothing, so it comes before work. */
const STRENGTH: readonly SpanKind[] = ['unwatched', 'work', 'silent', 'waits']

/** Returns the part of a run in a change; null when the run was not there. `silent` stands for every doubt. */
function partIn(spans: readonly Span[], { from, to, stamped }: Moment): SpanKind | null {
  const touched = spans.filter((span) => span.from <= to && (span.to ?? Number.POSITIVE_INFINITY) >= from)
  const at = (time: number) =>
    touched.filter((span) => span.from <= time && (span.to ?? Number.POSITIVE_INFINITY) >= time)
  const strongest = (some: readonly Span[]) => STRENGTH.find((kind) => some.some((span) => span.kind === kind)) ?? null
  const worksAt = (time: number) => {
    const isAnyTime = time === Number.POSITIVE_INFINITY
    if (isAnyTime && touched.some(({ kind }) => kind === 'waits')) return false
    const sure = isAnyTime ? touched : at(time)
    // That clock ticks some times in 20 ms: what happened in the tick in which work ended may have come after it.
    const isOver = sure.some(({ kind }) => kind !== 'work')
    return sure.some((span) => span.kind === 'work' && !(isOver && span.to === time))
  }
  // The file changed at one end, and a folder above it may have come at the other: both are needed.
  const works = stamped ? worksAt(from) && worksAt(to) : worksAt(to) && strongest(touched) === 'work'
  if (works) return 'work'
  return strongest(touched) === 'work' ? 'silent' : strongest(touched)
}

/** Whether the author of a change after `since` depends on its time. If not, nobody has to find out when it was. */
export const timeMatters = (writers: readonly Writer[], since: number): boolean =>
  writers.some(({ spans }) => {
    const [span, ...more] = spans.filter(({ to }) => to === null || to >= since)
    return more.length > 0 || (span !== undefined && (span.from > since || span.to !== null))
  })

/** Whether a path of a plan needs confirmation only because no server looked when it was written. */
export const onlyUnwatched = ({ conflicts }: Pick<PlanEntry, 'conflicts'>): boolean =>
  conflicts.length > 0 && conflicts.every(({ kind }) => kind === 'unwatched')
