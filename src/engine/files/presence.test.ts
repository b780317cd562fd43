import { expect, it } from 'vitest'
import { createPresence } from './presence.ts'

const shown = (spans: ReturnType<ReturnType<typeof createPresence>['spans']>) =>
  spans.map(({ kind, from, to }) => `${kind} ${from} ${to ?? '...'}`)

it('F2: a run that has not begun may do so during a scan, and counts for nothing before it', () => {
  expect(shown(createPresence().spans(50, false))).toEqual(['waits 51 ...'])
})

it('F2: the spans of a run follow its questions and end with its last process', () => {
  const presence = createPresence()
  presence.become('work', 10)
  presence.become('waits', 20)
  presence.become('waits', 25)
  presence.become('work', 30)
  expect(presence.now).toBe('work')
  presence.become(null, 40)
  expect(presence.now).toBe(null)
  expect(shown(presence.spans(9_000, false))).toEqual(['work 10 20', 'waits 20 30', 'work 30 40'])
})

it('F2: an agent that says nothing and runs no tool is silent; close to a sign it may have worked', () => {
  const presence = createPresence()
  presence.become('work', 10_000)
  presence.heard(11_500, false)
  expect(shown(presence.spans(12_000, false))).toEqual(['work 10000 ...'])
  // A scan does not count as a sign: the next one finds the same silence.
  expect(shown(presence.spans(20_000, false))).toEqual(['work 10000 12500', 'silent 12500 20000', 'work 20000 ...'])
  expect(shown(presence.spans(20_500, true))).toEqual(['work 10000 ...'])
  presence.heard(21_000, false)
  expect(shown(presence.spans(21_000, false))).toEqual(['work 10000 12500', 'silent 12500 20000', 'work 20000 ...'])
  presence.heard(40_000, true)
  expect(shown(presence.spans(40_000, false)).at(-1)).toBe('work 20000 ...')
})

it('F2: a run of an earlier server goes on from its last sign of life', () => {
  const presence = createPresence()
  presence.continue([
    { kind: 'work', from: 0, to: 10 },
    { kind: 'unwatched', from: 10, to: null },
  ])
  presence.become('work', 30)
  expect(shown(presence.spans(30, false))).toEqual(['work 0 10', 'unwatched 10 30', 'work 30 ...'])
})
