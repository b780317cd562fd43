import { expect, it } from 'vitest'
import { RunId } from '../ids.ts'
import type { Item } from './items.ts'
import { lastWords } from './last-words.ts'

const RUN = RunId.parse(`run_${'0'.repeat(26)}`)
const OTHER = RunId.parse(`run_${'1'.repeat(26)}`)

/** An item of the run, as far as the function reads it. */
const item = (kind: Item['kind'], more: object = {}) => ({ kind, run: RUN, ...more }) as Item
const says = (text: string, more: object = {}) => item('message', { role: 'agent', text, ...more })
const BEGIN = item('run')

it.each<[string, Item[], string | null]>([
  ['nothing said', [BEGIN, item('tool')], null],
  ['one message', [BEGIN, says('a')], 'a'],
  ['a message in parts', [BEGIN, says('a'), item('thought'), says('b'), item('notice'), says('c')], 'abc'],
  ['words before a tool do not count', [BEGIN, says('a'), item('tool'), says('b')], 'b'],
  ['changed files behind the words', [BEGIN, says('a'), item('files')], 'a'],
  ['changed files between the words', [BEGIN, says('a'), item('files'), says('b')], 'ab'],
  ['an undo behind the words', [BEGIN, says('a'), item('act')], 'a'],
  [
    'a tool, a plan and a question behind the words',
    [BEGIN, says('a'), item('tool'), item('plan'), item('question')],
    'a',
  ],
  ['a word of a person behind the words', [BEGIN, says('a'), item('message', { role: 'user', text: 'u' })], 'a'],
  ['afterwords', [BEGIN, says('a'), says('late', { afterword: true })], 'a'],
  ['a later run', [BEGIN, says('a'), item('run', { run: OTHER }), says('b', { run: OTHER })], 'a'],
  ['an earlier run', [says('b', { run: OTHER }), BEGIN], null],
])('the last words of a run: %s', (_name, items, text) => {
  expect(lastWords(items.toReversed(), RUN).text).toBe(text)
})

it('are done at what stands before them, and not in the middle of what comes behind', () => {
  const items = [BEGIN, says('a'), item('tool'), says('b'), item('files')].toReversed()
  expect([1, 2, 3].map((count) => lastWords(items.slice(0, count), RUN).done)).toEqual([false, false, true])
  expect(lastWords([BEGIN], RUN)).toEqual({ text: null, done: true })
})
