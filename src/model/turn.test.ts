import { expect, it } from 'vitest'
import type { Reached } from './settings/spending.ts'
import { NEW_TURN, type TurnEnd, type TurnSignal, type TurnStep, turnStep } from './turn.ts'

const reached: Reached = {
  meter: { key: 'budget run ms', of: 'run', from: 'space', measure: 'ms', limit: 1 },
  used: 2,
}
const sent: TurnSignal = { kind: 'prompts-reserved', count: 1 }
const answered = { kind: 'answered', stopReason: 'end_turn', raw: { one: 1 } } as const
const failed = (waits = false): TurnSignal => ({ kind: 'failed', error: 'died', waits })
const stopping = (waits: boolean, leaves: boolean): TurnSignal => ({ kind: 'server-stopping', waits, leaves })
const over: TurnSignal = { kind: 'budget-reached', reached }

/** Acts of a turn in their order: `cancel`, and its end. */
function actsOf(signals: readonly TurnSignal[]): unknown[] {
  let step: TurnStep = { state: NEW_TURN, act: null }
  return signals.flatMap((signal) => {
    step = turnStep(step.state, signal)
    return step.act === null ? [] : [step.act.do === 'end' ? step.act.end : step.act.do]
  })
}

const cancelled = (why: 'cancelled' | 'stopped', confirmed: boolean): TurnEnd => ({
  kind: 'cancelled',
  why,
  answered: confirmed,
})
const exhausted = (confirmed: boolean): TurnEnd => ({ kind: 'exhausted', reached, answered: confirmed })
const parked = { kind: 'parked', reason: expect.stringContaining('a person') }

it.each<[string, readonly TurnSignal[], readonly unknown[]]>([
  ['an answered prompt ends the turn', [sent, answered], [answered]],
  ['a turn with two prompts ends with the last answer', [sent, sent, answered, answered], [answered]],
  ['one of two answers does not end it', [sent, sent, answered], []],
  [
    'a reserved prompt that is never sent releases the answer',
    [sent, sent, answered, { kind: 'prompt-released' }],
    [answered],
  ],
  ['a prompt released before any answer does not end it', [sent, sent, { kind: 'prompt-released' }], []],
  ['adopted prompts count one by one', [{ kind: 'prompts-reserved', count: 2 }, answered], []],
  ['an agent that dies fails the turn', [sent, failed()], [{ kind: 'failed', error: 'died' }]],
  ['I2: an agent that dies while a person is asked parks it', [sent, failed(true)], [parked]],
  [
    'P2: a cancelled agent that answers',
    [sent, { kind: 'called-off' }, answered],
    ['cancel', cancelled('cancelled', true)],
  ],
  [
    'P2: a cancelled agent that dies',
    [sent, { kind: 'called-off' }, failed()],
    ['cancel', cancelled('cancelled', false)],
  ],
  [
    'P2: a cancelled agent that keeps silent',
    [sent, { kind: 'called-off' }, { kind: 'grace-over' }],
    ['cancel', cancelled('cancelled', false)],
  ],
  [
    'I2: a cancelled agent that dies while a person is asked',
    [sent, { kind: 'called-off' }, failed(true)],
    ['cancel', parked],
  ],
  ['P6: a budget that is used up', [sent, over, answered], ['cancel', exhausted(true)]],
  [
    'P6: a budget that is used up, without an answer',
    [sent, over, { kind: 'grace-over' }],
    ['cancel', exhausted(false)],
  ],
  [
    'the first reason to stop counts: cancelled',
    [sent, { kind: 'called-off' }, over, answered],
    ['cancel', cancelled('cancelled', true)],
  ],
  [
    'the first reason to stop counts: budget',
    [sent, over, { kind: 'called-off' }, answered],
    ['cancel', exhausted(true)],
  ],
  [
    'a server that stops cancels the agent',
    [sent, stopping(false, false), answered],
    ['cancel', cancelled('stopped', true)],
  ],
  ['P5: a server that stops leaves an agent that outlives it', [sent, stopping(false, true)], [{ kind: 'left' }]],
  ['I2: a server that stops parks a run that waits', [sent, stopping(true, true)], [parked]],
  ['a run that waits too long is parked', [sent, { kind: 'park-due' }], [parked]],
  ['a parked turn ignores its agent', [sent, { kind: 'park-due' }, answered, failed(), over], [parked]],
  ['an ended turn has one end', [sent, answered, failed(), { kind: 'called-off' }], [answered]],
])('%s', (_, signals, acts) => {
  expect(actsOf(signals)).toEqual(acts)
})
