import type { Span, SpanKind } from '../../model/files/authorship.ts'

/** Silence of this length after a run's last sign, and before its next one, still counts as work. ms. */
const QUIET_MS = 1_000
/** A run that only joined writes no sooner than this: it scans first. Writes just before a scan have the same time. ms. */
const SOONEST_MS = 1
/** Spans that ended longer ago are of no use to a scan: it looks back to the one before. ms. */
const KEPT_MS = 600_000

/**
 * The times at which a run could write, by the clock that stamps files. A run begins when its agent gets the prompt, not
 * when it joins a place. Background work that goes on after a run is such a time too, for as long as it `become`s none.
 */
export interface Presence {
  /** The part of the run now; null before its beginning, and once no process of it is left. */
  readonly now: SpanKind | null
  /** Begins a span, or ends the last one. Repeating the present kind changes nothing. */
  become(kind: SpanKind | null, at: number): void
  /** Takes over the spans of an earlier server, of which the last may go on. */
  continue(earlier: readonly Span[]): void
  /** Notes a sign of life. `busy`: a tool was running since the last one, so the run was never silent. */
  heard(at: number, busy: boolean): void
  /** Returns the spans for a scan that begins now. A run that has not begun may do so while the scan runs. */
  spans(at: number, busy: boolean): Span[]
}

export function createPresence(): Presence {
  let spans: Span[] = []
  let sign = 0
  const last = () => spans.at(-1)
  const now = () => {
    const span = last()
    return span?.to === null ? span.kind : null
  }
  const become: Presence['become'] = (kind, at) => {
    if (kind === now()) return
    const open = last()
    if (open?.to === null) spans[spans.length - 1] = { ...open, to: Math.max(open.from, at) }
    if (kind !== null) spans.push({ kind, from: at, to: null })
    if (kind === 'work') sign = at
    spans = spans.filter(({ to }) => to === null || to > at - KEPT_MS)
  }
  /** Makes the time without a sign a silent span, up to `end`. */
  const hushed = (end: number): Span[] => {
    const open = last()
    const from = sign + QUIET_MS
    if (open?.kind !== 'work' || open.to !== null || end <= from) return spans
    const parts: Span[] = [
      { ...open, to: from },
      { kind: 'silent', from, to: end },
      { kind: 'work', from: end, to: null },
    ]
    return [...spans.slice(0, -1), ...parts]
  }
  return {
    get now() {
      return now()
    },
    become,
    continue(earlier) {
      spans = [...earlier]
    },
    heard(at, busy) {
      if (!busy) spans = hushed(at - QUIET_MS)
      sign = Math.max(sign, at)
    },
    spans(at, busy) {
      if (spans.length === 0) return [{ kind: 'waits', from: at + SOONEST_MS, to: null }]
      return busy ? [...spans] : [...hushed(at)]
    },
  }
}
