import { expect, it } from 'vitest'
import type { Item } from './events/items.ts'
import { judgeAnswer } from './run-outcome.ts'

const base = { n: 1, seq: 1, at: 1, run: 'r' as never }
const text = (said: string, role: 'agent' | 'user' = 'agent'): Item => ({
  ...base,
  kind: 'message',
  role,
  text: said,
  blocks: [],
  continues: false,
})
const thought: Item = { ...base, kind: 'thought', text: 'hm', continues: false, endedAt: null }
const plan: Item = { ...base, kind: 'plan', entries: [] }
const remark: Item = { ...base, kind: 'raw', name: 'notice', update: {} }
const LIMITED = 'exceeded retry limit, last status: 429 Too Many Requests'
const CUT = 'stream disconnected before completion: stream closed before response.completed'
const NOTHING = /without saying or doing anything/
const TRIED = /tried its model again and again/

it.each<[string, string, readonly Item[], string, RegExp | null]>([
  ['an answer', 'end_turn', [text('done')], 'completed', null],
  ['an unknown stop reason', 'who_knows', [], 'completed', null],
  ['a cancelled turn', 'cancelled', [], 'cancelled', null],
  ['a refusal', 'refusal', [text('no')], 'refused', null],
  ['too many tokens', 'max_tokens', [text('so')], 'over_budget', /limit of tokens/],
  ['too many steps', 'max_turn_requests', [text('so')], 'over_budget', /limit of steps/],
  ['no word and no deed', 'end_turn', [], 'failed', NOTHING],
  ['a deed without a word', 'end_turn', [plan], 'completed', null],
  ['a thought without a word', 'end_turn', [thought], 'completed', null],
  ['an error as an answer', 'end_turn', [text('API Error: 500 overloaded')], 'failed', /API Error: 500/],
  ['an error behind a thought', 'end_turn', [thought, text('Error: no')], 'failed', /Error: no/],
  ['an error as JSON', 'end_turn', [text('{"type":"error","error":1}')], 'failed', /error/],
  ['an error after a deed', 'end_turn', [plan, text('API Error: 500')], 'completed', null],
  ['an error after other words', 'end_turn', [text('I begin'), text('API Error: 500')], 'completed', null],
  ['an error that a person pasted', 'end_turn', [text('API Error: 500', 'user'), text('I see')], 'completed', null],
  ['a long text that begins like an error', 'end_turn', [text(`Error: ${'x'.repeat(2_000)}`)], 'completed', null],
  ['a text about an error', 'end_turn', [text('The log has an API Error: 500')], 'completed', null],
  ['a limit of requests', 'end_turn', [text(`${LIMITED}\n\n`)], 'failed', /429 Too Many/],
  ['a cut stream', 'end_turn', [text(`${CUT}\n\n`)], 'failed', /stream closed/],
  ['a cut stream after words and a deed', 'end_turn', [plan, text(`I begin${CUT}\n\n`)], 'failed', /^stream disc/],
  ['a text about a cut stream', 'end_turn', [plan, text(`The log ends with: ${CUT}`)], 'completed', null],
  ['a remark of the agent beside an error', 'end_turn', [remark, text('Error: no')], 'failed', /Error: no/],
  ['tries alone', 'end_turn', [text('Retrying (1 of 3)...  retry finished, resuming.')], 'failed', TRIED],
  ['an answer after tries', 'end_turn', [text('Retrying... Done.')], 'completed', null],
])('L4: %s', (_, stopReason, items, outcome, problem) => {
  const judged = judgeAnswer(stopReason, items)
  expect(judged.outcome).toBe(outcome)
  expect(judged.problem).toEqual(
    problem && { message: expect.stringMatching(problem), next: expect.stringMatching(/prompt again|Prompt again/) },
  )
})

it('L4: a stop reason that no version of ACP has is said, since nobody knows whether the agent finished', () => {
  expect(judgeAnswer('whatever', [text('so')]).notice).toContain('whatever')
  expect(judgeAnswer('end_turn', [text('so')]).notice).toBe(null)
})
