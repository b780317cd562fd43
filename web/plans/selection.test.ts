import { expect, it } from 'vitest'
import type { Conflict, Plan, PlanEntry, PlanRequest } from '../../src/model/files/history.ts'
import { differenceOf, NO_SELECTION, narrowed, stillDecided, verdictOf } from './selection.ts'

const UNDO = { kind: 'undo', of: { kind: 'snapshot', n: 3 } } as const satisfies PlanRequest
const FREE: Conflict[] = []
const TAKEN: Conflict[] = [{ kind: 'others_work', by: { kind: 'outside' }, at: 1 }]
const BLOCKED: Conflict[] = [{ kind: 'file_rule', class: 'system', action: 'block', pattern: '**/.env' }]

const entry = (path: string, conflicts: Conflict[] = FREE, digest = 'a'): PlanEntry => ({
  path,
  now: { kind: 'file', digest, mode: 0o644, size: 1 },
  next: null,
  how: 'delete',
  author: null,
  conflicts,
})
const plan = (...entries: PlanEntry[]): Plan => ({ request: UNDO, entries, gaps: [], digest: 'd' })

it('a request stays the very same while all of it is wanted, so that its digest stays true', () => {
  expect(narrowed(UNDO, plan(entry('a'), entry('b')), NO_SELECTION)).toBe(UNDO)
})

it('paths that are not taken along and parts that are not are named in the request', () => {
  const selection = { ...NO_SELECTION, without: new Set(['b']), hunks: { a: [0, 2] } }
  expect(narrowed(UNDO, plan(entry('a'), entry('b')), selection)).toEqual({
    ...UNDO,
    paths: ['a'],
    hunks: [{ path: 'a', indexes: [0, 2] }],
  })
})

it('what is conflicts waits for a word; what is blocked is left without one and never overwritten', () => {
  const made = plan(entry('.env', BLOCKED), entry('a', TAKEN), entry('b', TAKEN), entry('c'))
  expect(verdictOf(made, NO_SELECTION)).toEqual({ overwrite: [], leave: ['.env'], open: 2, writes: 1 })
  const decided = { ...NO_SELECTION, decisions: { '.env': 'overwrite', a: 'overwrite', b: 'leave' } as const }
  expect(verdictOf(made, decided)).toEqual({ overwrite: ['a'], leave: ['.env', 'b'], open: 0, writes: 2 })
})

it('a decision does not outlive a change of its entry', () => {
  const before = plan(entry('a', TAKEN), entry('b', TAKEN), entry('c'))
  const after = plan(entry('a', TAKEN, 'other'), entry('b', TAKEN), entry('d'))
  const difference = differenceOf(before, after)
  expect(difference).toEqual({ added: ['d'], gone: ['c'], changed: ['a'] })
  const decided = { ...NO_SELECTION, decisions: { a: 'overwrite', b: 'overwrite' } as const }
  expect(stillDecided(decided, difference).decisions).toEqual({ b: 'overwrite' })
})
