import { expect, it } from 'vitest'
import type { RunId, SessionId } from '../ids.ts'
import { attribute, type Moment, type Span, type SpanKind, timeMatters } from './authorship.ts'

type Runs = Readonly<Record<string, readonly [kind: SpanKind, from: number, to: number | null][]>>

const whose = (at: Moment, runs: Runs, named: readonly string[] = []) => {
  const writers = Object.entries(runs).map(([name, spans]) => ({
    run: `run_${name}` as RunId,
    session: `ses_${name}` as SessionId,
    named: named.includes(name) ? ['path'] : [],
    spans: spans.map(([kind, from, to]): Span => ({ kind, from, to })),
  }))
  const { author, certainty } = attribute('path', at, writers)
  const who = author.kind === 'unknown' ? author.among : author.kind === 'run' ? [author.run] : []
  return [certainty, ...who.map((run) => run.slice('run_'.length))].join(' ')
}

/** The file itself changed at a known time. */
const stamped = (from: number, to = from): Moment => ({ from, to, stamped: true })
/** Only the scan before, and perhaps the folder, bound the change. */
const between = (from: number, to = Number.POSITIVE_INFINITY): Moment => ({ from, to, stamped: false })

const WORKS: Runs = { a: [['work', 10, null]] }
const ASKS: Runs = {
  a: [
    ['work', 10, 20],
    ['waits', 20, 30],
    ['work', 30, null],
  ],
}
const PARKED: Runs = {
  a: [
    ['work', 10, 20],
    ['waits', 20, 30],
  ],
}
const HANGS: Runs = {
  a: [
    ['work', 10, 20],
    ['silent', 20, null],
  ],
}
const CUT: Runs = {
  a: [
    ['work', 0, 20],
    ['unwatched', 20, null],
  ],
}
const TWO: Runs = { a: [['work', 10, 20]], b: [['work', 15, null]] }

it.each<[string, Moment, Runs, string[], string]>([
  ['nobody is there', between(0), {}, [], 'external'],
  ['a run that only joined', stamped(5), { a: [] }, [], 'external'],
  ['before the beginning', stamped(9), WORKS, [], 'external'],
  ['before the beginning, at a path that the run names', stamped(9), WORKS, ['a'], 'external'],
  ['at work', stamped(11), WORKS, [], 'sole a'],
  ['at work, without a time of its own', between(5), WORKS, [], 'sole a'],
  ['in a folder that somebody else may have brought', stamped(9, 15), WORKS, [], 'overlapping a'],
  ['without a time of its own, since before a question', between(15), ASKS, [], 'overlapping a'],
  ['without a time of its own, since the answer', between(31), ASKS, [], 'sole a'],
  ['in a folder that came at work as well', stamped(12, 15), WORKS, [], 'sole a'],
  ['in a folder that a person moved during a question', stamped(15, 25), ASKS, [], 'overlapping a'],
  ['in a folder that somebody moved after the park', stamped(15, 35), PARKED, [], 'overlapping a'],
  ['deleted before the beginning', between(5, 9), WORKS, [], 'external'],
  ['deleted at work', between(5, 15), WORKS, [], 'sole a'],
  ['while a person has to answer', stamped(25), ASKS, [], 'overlapping a'],
  ['the same, at a path that the run names', stamped(25), ASKS, ['a'], 'overlapping a'],
  ['deleted while a person has to answer', between(20, 25), ASKS, [], 'overlapping a'],
  ['deleted then, after a late hint', between(18, 25), ASKS, [], 'overlapping a'],
  ['before the question', stamped(15), ASKS, [], 'sole a'],
  ['in the tick of the question', stamped(20), ASKS, [], 'overlapping a'],
  ['deleted by the tick of the question', between(15, 20), ASKS, [], 'overlapping a'],
  ['in the tick of the answer, before which all changes were seen', stamped(30), ASKS, [], 'sole a'],
  ['after the answer', stamped(35), ASKS, [], 'sole a'],
  ['parked', stamped(35), PARKED, [], 'external'],
  ['a run that hangs', stamped(25), HANGS, [], 'overlapping a'],
  ['a run that hangs, at a path that it names', stamped(25), HANGS, ['a'], 'reported a'],
  ['before the server ended', stamped(15), CUT, [], 'sole a'],
  ['deleted before the server ended', between(5, 15), CUT, [], 'sole a'],
  ['without a server', stamped(25), CUT, [], 'unwatched a'],
  ['deleted at some time until now', between(5), CUT, [], 'unwatched a'],
  ['without a server, at a path that the run names', stamped(25), CUT, ['a'], 'reported a'],
  ['the only one of two that had begun', stamped(12), TWO, [], 'sole a'],
  ['two at work', stamped(17), TWO, [], 'overlapping a b'],
  ['two at work, one names it', stamped(17), TWO, ['b'], 'reported b'],
  ['two at work, both name it', stamped(17), TWO, ['a', 'b'], 'overlapping a b'],
  ['the one that is left', stamped(25), TWO, [], 'sole b'],
  ['one works while another waits', stamped(25), { ...PARKED, b: [['work', 15, null]] }, [], 'sole b'],
  ['one works while another hangs', stamped(25), { ...HANGS, b: [['work', 15, null]] }, [], 'overlapping a b'],
  ['one works while another was cut off', stamped(25), { ...CUT, b: [['work', 22, null]] }, [], 'overlapping a b'],
])('F2: the author of a change: %s', (_, at, runs, named, expected) => {
  expect(whose(at, runs, named)).toBe(expected)
})

it.each<[string, [SpanKind, number, number | null][], boolean]>([
  ['no run', [], false],
  ['a run at work all the time', [['work', 10, null]], false],
  ['a run that began since', [['work', 25, null]], true],
  [
    'a run that waited before',
    [
      ['work', 5, 8],
      ['waits', 8, 15],
      ['work', 15, null],
    ],
    false,
  ],
  [
    'a run that waits since',
    [
      ['work', 5, 25],
      ['waits', 25, null],
    ],
    true,
  ],
  ['a run that was parked since', [['work', 5, 25]], true],
  ['a run that was at work before', [['work', 5, 15]], false],
])('F2: whether the time of a change matters: %s', (_, spans, expected) => {
  const made = spans.map(([kind, from, to]): Span => ({ kind, from, to }))
  const one = { run: 'run_a' as RunId, session: 'ses_a' as SessionId, named: [], spans: made }
  expect(timeMatters([one], 20)).toBe(expected)
})
