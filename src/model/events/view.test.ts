import { describe, expect, it } from 'vitest'
import * as log from '../../../test/support/session-log.ts'
import { type EventDraft, seeLog, underWay } from '../../../test/support/session-log.ts'
import { AgentId } from '../ids.ts'
import { halfDone, headline, liveItems, nextStep, sessionState } from './view.ts'

const NOW = 1_000
const cancel: EventDraft = { type: 'cancel.requested', data: { run: log.run(1), by: log.ADA } }
const close: EventDraft = { type: 'close.requested', data: { by: log.ADA } }
const closed: EventDraft = { type: 'session.closed', data: { reason: 'asked' } }
const withdrawn: EventDraft = {
  type: 'interaction.withdrawn',
  data: { interaction: log.interaction(1), reason: 'gone' },
}
const parkedWith = (...said: EventDraft[]) => [...underWay(), ...said, log.parked(1)]

describe('the next step of a session that nobody holds', () => {
  const table: [string, EventDraft[], object][] = [
    ['an empty log', [], { do: 'rest' }],
    ['a run that ended', [...underWay(), log.ended(1)], { do: 'rest' }],
    ['a prompt', [log.asked(1)], { do: 'admit', prompt: { prompt: log.prompt(1) } }],
    ['two prompts', [log.asked(1), log.asked(2)], { do: 'admit', prompt: { prompt: log.prompt(1) } }],
    [
      'a prompt that replaces another one',
      [log.asked(1), log.asked(2, 'now', 'interrupt')],
      { do: 'admit', prompt: { prompt: log.prompt(2) } },
    ],
    ['a steering prompt without a run', [log.asked(1, 'hm', 'steer')], { do: 'admit' }],
    ['a run that no agent has', [log.asked(1), log.admitted(1)], { do: 'start' }],
    ['a run that no agent has, and a cancel', [log.asked(1), log.admitted(1), cancel], { do: 'end' }],
    ['a run that an agent had', underWay(), { do: 'bury' }],
    ['the same with prompts behind it', [...underWay(), log.asked(2)], { do: 'bury' }],
    ['the same, and a prompt that replaces it', [...underWay(), log.asked(2, 'now', 'interrupt')], { do: 'end' }],
    ['a cut run that waits for a person', [...underWay(), log.opened(1)], { do: 'park' }],
    ['a cut run whose answer no agent has had', [...underWay(), log.opened(1), log.answered(1)], { do: 'park' }],
    ['a cut run whose answer was used', [...underWay(), log.opened(1), log.answered(1), log.used(1)], { do: 'bury' }],
    ['parked, a question open', parkedWith(log.opened(1)), { do: 'wait', until: null }],
    [
      'parked, questions with ends',
      parkedWith(log.opened(1, 1, 3_000), log.opened(2, 1, 2_000), log.opened(3)),
      { do: 'wait', until: 2_000 },
    ],
    [
      'parked, one question past its end',
      parkedWith(log.opened(1, 1, 3_000), log.opened(2, 1, NOW)),
      { do: 'expire', interaction: log.interaction(2) },
    ],
    [
      'parked, one of two answered',
      [...parkedWith(log.opened(1), log.opened(2)), log.answered(1)],
      { do: 'wait', until: null },
    ],
    ['parked, all answered', [...parkedWith(log.opened(1)), log.answered(1)], { do: 'resume' }],
    ['parked, the question withdrawn', [...parkedWith(log.opened(1)), withdrawn], { do: 'resume' }],
    ['parked, and a cancel', [...parkedWith(log.opened(1)), cancel], { do: 'end' }],
    ['parked past its end, and a cancel', [...parkedWith(log.opened(1, 1, NOW)), cancel], { do: 'end' }],
    [
      'parked, resumed, cut again',
      [...parkedWith(log.opened(1)), log.answered(1), log.used(1), log.resumed(1)],
      { do: 'bury' },
    ],
    ['closing without a run', [log.asked(1), close], { do: 'close' }],
    ['closing with a run', [...underWay(), close], { do: 'end' }],
    ['closing with a parked run', [...parkedWith(log.opened(1)), close], { do: 'end' }],
    ['closed', [log.asked(1), close, closed], { do: 'rest' }],
    ['closed with a run that nobody ended', [log.asked(1), log.admitted(1), closed], { do: 'end' }],
  ]
  it.each(table)('%s', (_, said, step) => {
    expect(nextStep(seeLog(said).view, NOW)).toMatchObject(step)
  })
})

it.each<[string, number | null, object]>([
  ['put off', NOW + 500, { do: 'wait', until: NOW + 500 }],
  ['put off until now', NOW, { do: 'expire', interaction: log.interaction(1) }],
  ['called off', null, { do: 'wait', until: null }],
])('S6: an expiry that has come by the clock and is %s', (_, expiresAt, step) => {
  const { view } = seeLog(parkedWith(log.opened(1, 1, NOW - 1)))
  expect(nextStep(view, NOW)).toMatchObject({ do: 'expire' })
  expect(nextStep(view, NOW, { expiryOf: () => expiresAt })).toEqual(step)
})

describe('the state a list shows', () => {
  const table: [string, EventDraft[]][] = [
    ['idle', []],
    ['queued', [log.asked(1)]],
    ['queued', [log.asked(1), log.admitted(1)]],
    ['running', underWay()],
    ['waiting', [...underWay(), log.opened(1)]],
    ['waiting', parkedWith(log.opened(1))],
    ['running', [...parkedWith(log.opened(1)), log.answered(1)]],
    ['idle', [...underWay(), log.ended(1)]],
    ['idle', [...underWay(), log.ended(1, 'cancelled')]],
    ['idle', [...underWay(), log.ended(1, 'refused')]],
    ['failed', [...underWay(), log.ended(1, 'failed')]],
    ['failed', [...underWay(), log.ended(1, 'over_budget')]],
    ['lost', [...underWay(), log.ended(1, 'lost')]],
    ['queued', [...underWay(), log.ended(1, 'lost'), log.asked(2)]],
    ['closed', [...underWay(), log.opened(1), closed]],
  ]
  it.each(table)('%s', (state, said) => {
    expect(sessionState(seeLog(said).view)).toBe(state)
  })
})

it('a headline counts questions and prompts and names the run that is on, or the last one', () => {
  const fallback = AgentId.parse('codex')
  expect(headline(seeLog([]).view, fallback, 5)).toEqual({
    state: 'idle',
    questions: 0,
    queued: 0,
    agent: 'codex',
    lastRun: null,
    changed: 0,
    closedAt: null,
  })
  const busy = seeLog([...underWay(), log.opened(1), log.asked(2), log.asked(3, 'hm', 'steer')]).view
  expect(headline(busy, fallback, null)).toMatchObject({
    questions: 1,
    queued: 2,
    agent: 'scripted',
    lastRun: { id: log.run(1), outcome: null, endedAt: null },
  })
  const over = seeLog([...underWay(), log.ended(1), closed]).view
  expect(headline(over, fallback, 5)).toMatchObject({
    state: 'closed',
    closedAt: 5,
    lastRun: { outcome: 'completed', endedAt: 40 },
  })
})

it('half done is what began and has no end', () => {
  const call = (toolCallId: string, status: string) =>
    log.update('tool_call', { toolCallId, status, title: toolCallId })
  const seen = seeLog([...underWay(), call('constructor', 'in_progress'), call('b', 'completed'), call('c', 'pending')])
  const expected = [
    { toolCallId: 'constructor', title: 'constructor', status: 'in_progress' },
    { toolCallId: 'c', title: 'c', status: 'pending' },
  ]
  expect(halfDone(seen.view, (n) => seen.items.get(n))).toEqual(expected)
  expect(halfDone(seen.view, () => undefined)).toEqual([])
})

it('live items are few: those of the run, its questions, and answers not yet used', () => {
  const seen = seeLog([
    ...underWay(),
    log.says('one'),
    log.opened(1),
    log.answered(1),
    log.says('two'),
    log.says(' more'),
  ])
  expect(liveItems(seen.view)).toEqual([7, 2, 5])
})
