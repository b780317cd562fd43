import { expect, it } from 'vitest'
import * as log from '../../../test/support/session-log.ts'
import { readInput } from '../input.ts'
import { ContentBlock, EVENTS, isRequest, parseEvent, runOf } from './events.ts'

const envelope = { session: log.SESSION, seq: 1, at: 0, run: null }

it('an event comes back from its text as it was', () => {
  for (const event of log.logOf([...log.underWay(), log.opened(1), log.answered(1), log.ended(1)])) {
    expect(parseEvent(JSON.parse(JSON.stringify(event)))).toEqual(event)
  }
})

it('an update of an agent is kept as said, whatever it is', () => {
  for (const update of [null, 'text', 7, [1], { sessionUpdate: 'new', deep: { a: [null] } }]) {
    const data = { acp: 1, agent: 'codex', update }
    expect(parseEvent({ ...envelope, type: 'agent.update', data }).data).toEqual(data)
  }
})

it('a type that is not known here passes as it is, with fields that are not known here', () => {
  for (const type of ['space.flown', 'constructor', '__proto__']) {
    const event = { ...envelope, type, data: { any: 1 }, more: true }
    expect(parseEvent(event)).toEqual(event)
  }
})

it.each([
  ['a seq of 0', { ...envelope, seq: 0, type: 'close.requested', data: { by: log.ADA } }],
  ['a seq with a fraction', { ...envelope, seq: 1.5, type: 'close.requested', data: { by: log.ADA } }],
  ['no session', { ...envelope, session: 'ses_1', type: 'close.requested', data: { by: log.ADA } }],
  ['no shape', { ...envelope, type: 'close.requested', data: {} }],
  [
    'a prompt without content',
    { ...envelope, type: 'prompt.requested', data: { ...(log.asked(1).data as object), content: [] } },
  ],
  ['no object', null],
])('refused: %s', (_, raw) => {
  expect(() => parseEvent(raw)).toThrow()
})

it('requests are what anybody may write; outcomes and names of no type are none', () => {
  const requests = Object.keys(EVENTS).filter(isRequest)
  expect(requests.sort()).toEqual([
    'cancel.requested',
    'close.requested',
    'config.requested',
    'edit.requested',
    'interaction.answered',
    'prompt.requested',
    'withdrawal.requested',
  ])
  expect(['toString', 'constructor', 'run.ended', ''].filter(isRequest)).toEqual([])
})

it('an event belongs to the run it says, or else to the one its data names', () => {
  const started = { type: 'run.started', data: { run: log.run(1), acpSession: 'a' } } as const
  expect(runOf(started)).toBe(log.run(1))
  expect(runOf({ ...started, run: log.run(2) })).toBe(log.run(2))
  expect(runOf({ ...started, run: null })).toBe(null)
  expect(runOf({ type: 'close.requested', data: { by: log.ADA } })).toBe(null)
})

it('a block of a prompt keeps the fields that ACP allows in every block', () => {
  const block = { type: 'text', text: 'do it', annotations: { audience: ['assistant'] }, _meta: { from: 'editor' } }
  expect(readInput(ContentBlock, block)).toEqual(block)
  expect(() => readInput(ContentBlock, { ...block, tekst: 'x' })).toThrow(/tekst/)
})
