import { expect, test } from 'vitest'
import { RUN_WORDS, runWord, SESSION_WORDS, STEP_WORDS, stepWord } from './state-words.ts'
import type { RunOutcome, RunState } from './tree.ts'

test.each<[RunState, RunOutcome | null, string]>([
  ['admitted', null, 'Starting'],
  ['started', null, 'Running'],
  ['parked', null, 'Needs you'],
  ['ended', 'completed', 'Completed'],
  ['ended', 'cancelled', 'Cancelled'],
  ['ended', 'over_budget', 'Over budget'],
  ['ended', null, 'Lost'],
])('a run in state %s with outcome %s is %s', (state, outcome, word) => {
  expect(runWord({ state, outcome })).toBe(word)
})

test('an active run with an open question needs you, and an ended run keeps its outcome', () => {
  expect(runWord({ state: 'started', outcome: null }, true)).toBe('Needs you')
  expect(runWord({ state: 'ended', outcome: 'failed' }, true)).toBe('Failed')
})

test.each([
  ['pending', 'Pending'],
  ['in_progress', 'Running'],
  ['completed', 'Done'],
  ['cancelled', 'Cut off'],
  ['interrupted', 'Cut off'],
  ['paused', 'paused'],
  ['constructor', 'constructor'],
])('a step with status %s is %s', (status, word) => {
  expect(stepWord(status)).toBe(word)
})

test('a state that sessions, runs and steps share has one word', () => {
  const tables: Record<string, string>[] = [SESSION_WORDS, RUN_WORDS]
  for (const state of ['queued', 'failed', 'lost']) expect(new Set(tables.map((table) => table[state])).size).toBe(1)
  expect(SESSION_WORDS.waiting).toBe(RUN_WORDS.parked)
  expect(STEP_WORDS.failed).toBe(RUN_WORDS.failed)
})
