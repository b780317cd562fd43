import { expect, it } from 'vitest'
import * as log from '../../../test/support/session-log.ts'
import { only, seeLog } from '../../../test/support/session-log.ts'
import type { Event } from './events.ts'
import { fold } from './fold.ts'
import { EMPTY_AGENT, emptyView } from './view.ts'

const withdrawn = (n: number, type: 'withdrawal.requested' | 'prompt.withdrawn'): log.EventDraft => ({
  type,
  data:
    type === 'prompt.withdrawn' ? { prompt: log.prompt(n), reason: 'closed' } : { prompt: log.prompt(n), by: log.ADA },
})
const queue = (seen: log.Seen) => seen.view.queue.map((queued) => queued.prompt)

it('an event that the view has, and one of a type it does not know, change nothing but the seq', () => {
  const { view, items } = seeLog(log.underWay())
  const [first] = log.logOf(log.underWay())
  expect(fold(view, first!, (n) => items.get(n))).toEqual({ view, items: [] })
  for (const type of ['space.flown', 'constructor', '__proto__']) {
    const folded = fold(view, { ...first!, seq: 4, type } as Event, (n) => items.get(n))
    expect(folded).toEqual({ view: { ...view, seq: 4 }, items: [] })
  }
})

it('prompts wait in order; an edit changes the text, a withdrawal takes one out', () => {
  const edit: log.EventDraft = {
    type: 'edit.requested',
    data: { prompt: log.prompt(2), content: log.text('better'), by: log.ADA },
  }
  const seen = seeLog([log.asked(1), log.asked(2), log.asked(3), edit, withdrawn(1, 'withdrawal.requested')])
  expect(queue(seen)).toEqual([log.prompt(2), log.prompt(3)])
  expect(seen.view.queue[0]?.content).toEqual(log.text('better'))
  expect(queue(seeLog([log.asked(1), withdrawn(1, 'prompt.withdrawn')]))).toEqual([])
  expect(seen.view.agent).toBe('scripted')
})

it('an interrupt goes first and ends the run that is on; a steer waits apart while a run is on only', () => {
  const seen = seeLog([...log.underWay(), log.asked(2), log.asked(3, 'now', 'interrupt'), log.asked(4, 'hm', 'steer')])
  expect(queue(seen)).toEqual([log.prompt(3), log.prompt(2)])
  expect(seen.view.run?.cancelling).toBe(true)
  expect(seen.view.steering.map(({ prompt }) => prompt)).toEqual([log.prompt(4)])
  expect(queue(seeLog([log.asked(4, 'hm', 'steer')]))).toEqual([log.prompt(4)])
})

it('a steered prompt becomes what the person said; a deferred one is next in line, with the reason', () => {
  const base = [...log.underWay(), log.says('one'), log.asked(2, 'and two', 'steer')]
  const steered = seeLog([
    ...base,
    { type: 'prompt.steered', data: { prompt: log.prompt(2), run: log.run(1) } },
    log.says('three'),
  ])
  const said = [...steered.items.values()].filter((item) => item.kind === 'message')
  expect(said.map(({ role, text }) => [role, text])).toEqual([
    ['agent', 'one'],
    ['user', 'and two'],
    ['agent', 'three'],
  ])
  expect(steered.view.steering).toEqual([])
  const deferred = seeLog([
    ...base,
    log.asked(3),
    { type: 'prompt.deferred', data: { prompt: log.prompt(2), reason: 'cannot' } },
  ])
  expect(deferred.view.queue.map(({ prompt, deferred: why }) => [prompt, why])).toEqual([
    [log.prompt(2), 'cannot'],
    [log.prompt(3), null],
  ])
})

it('a run goes from admitted over started and parked to ended, and its item with it', () => {
  const life = [log.asked(1), log.admitted(1), log.started(1), log.parked(1), log.resumed(1), log.ended(1, 'refused')]
  const states = life.map((_, index) => {
    const { view, items } = seeLog(life.slice(0, index + 1))
    const item = [...items.values()].find(({ kind }) => kind === 'run')
    return [view.run?.state ?? null, item?.kind === 'run' ? item.state : null]
  })
  expect(states).toEqual([
    [null, null],
    ['admitted', 'admitted'],
    ['started', 'started'],
    ['parked', 'parked'],
    ['started', 'started'],
    [null, 'ended'],
  ])
  const seen = seeLog(life)
  expect(only(seen, 'run')).toMatchObject({
    n: 2,
    seq: 6,
    run: log.run(1),
    content: log.text('do it'),
    by: log.ADA,
    outcome: 'refused',
    startedAt: 30,
    endedAt: 60,
    usage: { input: 1 },
  })
  expect(seen.view.lastRun).toEqual({ id: log.run(1), agent: 'scripted', outcome: 'refused', endedAt: 60 })
})

it('what is said of another run than the one that is on changes nothing', () => {
  const cancel: log.EventDraft = { type: 'cancel.requested', data: { run: log.run(2), by: log.ADA } }
  const seen = seeLog([...log.underWay(), log.parked(2), log.ended(2), cancel])
  expect(seen.view.run).toMatchObject({ id: log.run(1), state: 'started', cancelling: false })
  const hit = seeLog([...log.underWay(), { ...cancel, data: { run: log.run(1), by: log.ADA } }])
  expect(hit.view.run?.cancelling).toBe(true)
})

it('the end of a run withdraws its questions, interrupts its tools and moves steering prompts into the queue', () => {
  const call = log.update('tool_call', { toolCallId: 't1', status: 'in_progress' })
  const seen = seeLog([...log.underWay(), call, log.opened(1), log.asked(2, 'hm', 'steer'), log.asked(3), log.ended(1)])
  expect(only(seen, 'question')).toMatchObject({ state: 'withdrawn', answer: null, answeredAt: 80, seq: 8 })
  expect(only(seen, 'tool')).toMatchObject({ status: 'interrupted', endedAt: 80 })
  expect(queue(seen)).toEqual([log.prompt(2), log.prompt(3)])
  expect(seen.view.queue[0]?.deferred).toBe('The run ended first.')
  expect(seen.view).toMatchObject({ open: {}, grants: [], steering: [] })
})

it('I3: an answer is a grant until it is used, and the question says both', () => {
  const before = seeLog([...log.underWay(), log.opened(1), log.answered(1)])
  expect(before.view.grants).toEqual([
    { interaction: log.interaction(1), n: 4, fingerprint: 'print-1', answer: { option: 'yes' } },
  ])
  expect(only(before, 'question')).toMatchObject({
    state: 'answered',
    answeredBy: log.ADA,
    answeredAt: 50,
    used: false,
  })
  const after = seeLog([...log.underWay(), log.opened(1), log.answered(1), log.used(1), log.used(1)])
  expect(after.view.grants).toEqual([])
  expect(only(after, 'question')).toMatchObject({ state: 'answered', used: true, seq: 6 })
})

it('I1: a second answer to a question changes nothing', () => {
  const seen = seeLog([...log.underWay(), log.opened(1), log.answered(1, 'yes'), log.answered(1, 'no')])
  expect(only(seen, 'question').answer).toEqual({ option: 'yes' })
  expect(seen.view.grants).toHaveLength(1)
})

it('I5: an expiry is an answer by nobody; a withdrawal is none', () => {
  const data = { interaction: log.interaction(1) }
  const base = [...log.underWay(), log.opened(1, 1, 99)]
  const expired = seeLog([...base, { type: 'interaction.expired', data: { ...data, answer: { option: 'no' } } }])
  expect(only(expired, 'question')).toMatchObject({ state: 'expired', answer: { option: 'no' }, answeredBy: null })
  expect(expired.view.grants).toHaveLength(1)
  const gone = seeLog([...base, { type: 'interaction.withdrawn', data: { ...data, reason: 'cancelled' } }])
  expect(only(gone, 'question')).toMatchObject({ state: 'withdrawn', answer: null, expiresAt: 99 })
  expect(gone.view).toMatchObject({ grants: [], open: {} })
})

it('a rule that answered is said on its tool call, or in a notice where there is none', () => {
  const ruled = (toolCallId: string | null): log.EventDraft => ({
    type: 'permission.ruled',
    data: { run: log.run(1), rule: log.rule(1), action: 'deny', toolCallId, title: 'Run rm' },
  })
  const call = log.update('tool_call', { toolCallId: 't1' })
  expect(only(seeLog([...log.underWay(), call, ruled('t1')]), 'tool').ruled).toBe('Denied by a rule')
  for (const id of [null, 'unknown', 'constructor']) {
    expect(only(seeLog([...log.underWay(), ruled(id)]), 'notice').text).toBe('Denied by a rule: Run rm')
  }
})

it('a rule about a tool call that is not at hand leaves it alone and makes up nothing', () => {
  const said = [...log.underWay(), log.update('tool_call', { toolCallId: 't1' })]
  const { view } = seeLog(said)
  const data = { run: log.run(1), rule: log.rule(1), action: 'allow', toolCallId: 't1', title: 'Run' }
  const event = log.logOf([...said, { type: 'permission.ruled', data }]).at(-1)!
  expect(fold(view, event, () => undefined).items).toEqual([])
})

it('wishes for mode and options add up until they are applied; a refusal is said', () => {
  const wish = (mode: string | null, options: object): log.EventDraft => ({
    type: 'config.requested',
    data: { agent: 'constructor', mode, options, by: log.ADA },
  })
  const applied = (error: string | null): log.EventDraft => ({
    type: 'config.applied',
    data: { agent: 'constructor', mode: 'ask', options: { model: 'big' }, error },
  })
  const wanted = { mode: 'ask', options: { model: 'big', think: true } }
  const asked = seeLog([wish('ask', { model: 'small' }), wish(null, { model: 'big', think: true })])
  expect(asked.view.agents).toEqual({ constructor: { ...EMPTY_AGENT, wanted, pending: wanted } })
  const done = seeLog([wish('ask', {}), applied(null)])
  expect(done.view.agents.constructor).toMatchObject({ pending: null, mode: 'ask' })
  const meanwhile = seeLog([wish('ask', { model: 'big' }), wish('auto', { think: true }), applied(null)])
  expect(meanwhile.view.agents.constructor).toMatchObject({ pending: { mode: 'auto', options: { think: true } } })
  const refused = seeLog([wish('ask', {}), applied('There is no mode ask.')])
  expect(refused.view.agents.constructor).toMatchObject({ pending: null, mode: null })
  expect(only(refused, 'notice')).toMatchObject({ level: 'warning', text: 'There is no mode ask.' })
})

it('a context brings what the agent offers, whatever shape that has; a lost one keeps nothing of its memory', () => {
  const open = (opened: unknown, how = 'new'): log.EventDraft => ({
    type: 'context.opened',
    data: { agent: 'scripted', acpSession: 'acp-1', fingerprint: 'f', how, info: { name: 'x' }, opened },
  })
  const modes = { currentModeId: 'ask', availableModes: [{ id: 'ask' }, { name: 'no id' }, null] }
  const seen = seeLog([
    open({ modes, configOptions: [{ id: 'model' }] }),
    { type: 'context.lost', data: { agent: 'scripted', reason: 'died' } },
  ])
  expect(seen.view.agents.scripted).toMatchObject({
    acpSession: null,
    status: 'lost',
    mode: 'ask',
    modes: [{ id: 'ask', name: 'ask', description: null }],
    options: [{ id: 'model' }],
  })
  for (const odd of [null, 'text', [], { modes: 4, configOptions: 'all' }]) {
    expect(seeLog([open(odd)]).view.agents.scripted).toMatchObject({ status: 'open', modes: [], options: [] })
  }
  expect(only(seeLog([open(null, 'primed')]), 'notice').text).toContain('transcript as text')
})

it('closing keeps new work out, closed empties the queue and ends what was open', () => {
  const close: log.EventDraft = { type: 'close.requested', data: { by: log.ADA } }
  const closed: log.EventDraft = { type: 'session.closed', data: { reason: 'asked' } }
  expect(seeLog([log.asked(1), close]).view).toMatchObject({ state: 'closing', queue: [{ prompt: log.prompt(1) }] })
  expect(seeLog([log.asked(1), close, closed, close]).view).toMatchObject({ state: 'closed', queue: [] })
})

it('a fork goes on with the transcript and none of the work', () => {
  const fork: log.EventDraft = { type: 'session.forked', data: { from: log.SESSION, seq: 6 } }
  const call = log.update('tool_call', { toolCallId: 't1', status: 'in_progress' })
  const seen = seeLog([...log.underWay(), call, log.opened(1), log.asked(2), fork])
  expect(seen.view).toMatchObject({
    run: null,
    open: {},
    grants: [],
    queue: [],
    agents: {},
    state: 'open',
    lastRun: null,
  })
  expect(only(seen, 'run')).toMatchObject({ state: 'ended', outcome: 'cancelled', stopReason: 'forked' })
  expect(only(seen, 'tool').status).toBe('interrupted')
  expect(only(seen, 'question').state).toBe('withdrawn')
  expect(only(seen, 'notice').data).toEqual({ from: log.SESSION, seq: 6 })
})

it('a notice is an item; a snapshot from before histories had places is none', () => {
  const note: log.EventDraft = {
    type: 'notice.given',
    data: { level: 'error', text: 'Disk is full.', data: { free: 0 } },
  }
  const seen = seeLog([note, { type: 'snapshot.taken', data: { snapshot: 1, changed: 2, reason: 'run' } }])
  expect(only(seen, 'notice')).toEqual({
    n: 1,
    seq: 1,
    at: 10,
    run: null,
    kind: 'notice',
    level: 'error',
    text: 'Disk is full.',
    data: { free: 0 },
  })
  expect(seen.view).toEqual({ ...emptyView(log.SESSION), seq: 2 })
})
