import fc from 'fast-check'
import { expect, it } from 'vitest'
import { property } from '../../../test/support/property.ts'
import { admitted, asked, ended, only, run, seeLog, underWay } from '../../../test/support/session-log.ts'
import type { Outcome } from './events.ts'
import { Growth, joinedUpdate } from './growing.ts'
import { CLIP_BYTES } from './items.ts'

const block = (text: string) => [{ type: 'content', content: { type: 'text', text } }]
const told = (fields: object, kind = 'tool_call_update') =>
  ({
    type: 'agent.update',
    run: run(1),
    data: { acp: 1, agent: 'scripted', update: { sessionUpdate: kind, toolCallId: 'c', ...fields } },
  }) as unknown as Outcome
const stored = (outcomes: readonly Outcome[]) => {
  const growth = new Growth()
  return outcomes.map((outcome) => growth.take(outcome))
}
const itemOf = (outcomes: readonly Outcome[]) => only(seeLog([...underWay(), ...outcomes]), 'tool')
const bytes = (outcomes: readonly Outcome[]) => JSON.stringify(outcomes).length

it('L9: output that grows costs what was added, and the item has it as if it came whole', () => {
  const line = 'x'.repeat(10_000)
  const all = Array.from({ length: 60 }, (_, at) => told({ content: block(line.repeat(at + 1)) }))
  const kept = stored([told({ title: 'run' }, 'tool_call'), ...all])
  expect(bytes(kept)).toBeLessThan(650_000)
  expect(itemOf(kept)).toEqual(itemOf([told({ title: 'run' }, 'tool_call'), ...all]))
})

it('L9: a window of the newest output costs what is new', () => {
  const lines = Array.from({ length: 3_000 }, (_, at) => `${at} ${'y'.repeat(60)}\n`).join('')
  const windows = Array.from({ length: 1_000 }, (_, at) =>
    told({ content: block(lines.slice(at * 64, at * 64 + CLIP_BYTES)) }),
  )
  expect(bytes(stored(windows))).toBeLessThan(CLIP_BYTES * 10)
  expect(itemOf(stored(windows))).toEqual(itemOf(windows))
})

it('L9: updates of one call that come together are one; an end, another call and a question are not joined', () => {
  const one = told({ content: block('a'), title: 'first' })
  expect(joinedUpdate(one, told({ content: block('ab'), title: null }))).toEqual(
    told({ content: block('ab'), title: 'first' }),
  )
  expect(joinedUpdate(told({ status: 'completed' }), one)).toBeNull()
  expect(joinedUpdate(told({}, 'tool_call'), one)).toBeNull()
  expect(joinedUpdate(told({ toolCallId: 'other' }), one)).toBeNull()
  expect(joinedUpdate(told({ _meta: {} }), one)).toBeNull()
  expect(joinedUpdate(undefined, one)).toBeNull()
})

it('L9: another run may use the id of a call again, and begins with a text of its own', () => {
  const first = told({ content: block('z'.repeat(5_000)) })
  const second = { ...told({ content: block('z'.repeat(6_000)) }), run: run(2) } as Outcome
  const kept = stored([first, second])
  expect(kept).toEqual([first, second])
  const logOf = (...said: readonly Outcome[]) =>
    seeLog([...underWay(), said[0] as Outcome, ended(1), asked(2), admitted(2), said[1] as Outcome])
  expect([...logOf(...kept).items.values()]).toEqual([...logOf(first, second).items.values()])
})

/** Text without a period, whose cuts may fall between the two units of a sign. */
const SOME = Array.from({ length: 12_000 }, (_, at) => `${at}\u{1f600}`).join('')

/** Steps of an output: it grows, moves on, begins anew, or is no single text. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ add: fc.integer({ min: 0, max: 40_000 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ drop: fc.integer({ min: 1, max: 3_000 }), add: fc.integer({ min: 0, max: 3_000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ whole: fc.string({ maxLength: 3_000 }) }) },
  { weight: 1, arbitrary: fc.constant({ other: true as const }) },
  { weight: 1, arbitrary: fc.constantFrom({ status: 'completed' }, { status: 'in_progress' }) },
)

property('L9: however an output grows, the log with what was added gives the same item', 60, async (numRuns) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      let text = ''
      const more = (length: number) => SOME.slice(text.length % 1_009, (text.length % 1_009) + length)
      const all = steps.map((one) => {
        if ('status' in one) return told(one)
        if ('other' in one) return told({ content: [...block(text), { type: 'terminal', terminalId: 't' }] })
        if ('whole' in one) text = one.whole
        else text = text.slice('drop' in one ? one.drop : 0) + more(one.add)
        return told({ content: block(text) })
      })
      const log = [told({ title: 'run' }, 'tool_call'), ...all]
      expect(itemOf(stored(log))).toEqual(itemOf(log))
    }),
    { numRuns },
  )
})
