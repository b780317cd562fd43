import { expect, it } from 'vitest'
import type { Event } from './events/events.ts'
import type { PromptId } from './ids.ts'
import { ACCEPTED, promptStateAfter } from './prompt-state.ts'

const OWN = 'pmt_1' as PromptId
const event = (type: Event['type'], data: object) => ({ type, data }) as Event
const admitted = event('run.admitted', { prompt: OWN, run: 'r' })
const started = event('run.started', { run: 'r' })
const ended = event('run.ended', { run: 'r', outcome: 'failed' })

it.each<[string, readonly Event[], object]>([
  ['no event', [], { state: 'accepted', run: null }],
  [
    'the admission of another prompt',
    [event('run.admitted', { prompt: 'pmt_2', run: 'r' })],
    { state: 'accepted', run: null },
  ],
  ['the end of another run', [ended], { state: 'accepted', outcome: null }],
  ['its admission', [admitted], { state: 'admitted', run: 'r' }],
  ['its start', [admitted, started], { state: 'started', run: 'r' }],
  ['a steered run', [event('prompt.steered', { prompt: OWN, run: 'r' })], { state: 'started', run: 'r' }],
  ['a parked run', [admitted, started, event('run.parked', { run: 'r' })], { state: 'parked' }],
  [
    'a resumed run',
    [admitted, event('run.parked', { run: 'r' }), event('run.resumed', { run: 'r' })],
    { state: 'started' },
  ],
  ['its end', [admitted, started, ended], { state: 'ended', run: 'r', outcome: 'failed' }],
  ['a withdrawal that is requested', [event('withdrawal.requested', { prompt: OWN })], { state: 'withdrawn' }],
  ['a withdrawn prompt', [event('prompt.withdrawn', { prompt: OWN })], { state: 'withdrawn' }],
  ['the withdrawal of another prompt', [event('prompt.withdrawn', { prompt: 'pmt_2' })], { state: 'accepted' }],
  ['other events', [admitted, event('agent.update', {})], { state: 'admitted' }],
])('a prompt after %s', (_, events, state) => {
  expect(events.reduce((before, each) => promptStateAfter(before, each, OWN), ACCEPTED)).toMatchObject(state)
})
