import { expect, it } from 'vitest'
import * as log from '../../../test/support/session-log.ts'
import { only, says, seeLog, thinks, underWay, update } from '../../../test/support/session-log.ts'
import { CLIP_BYTES, type Item, SPLIT_CHARS, type ToolItem } from './items.ts'

const of = (seen: log.Seen, kind: Item['kind']) => [...seen.items.values()].filter((item) => item.kind === kind)
const texts = (seen: log.Seen) =>
  [...seen.items.values()].flatMap((item) =>
    item.kind === 'message' || item.kind === 'thought' ? [[item.kind, item.text, item.continues]] : [],
  )
const live = (...said: log.EventDraft[]) => seeLog([...underWay(), ...said])
const call = (rest: object = {}) => update('tool_call', { toolCallId: 't1', ...rest })
const change = (rest: object = {}) => update('tool_call_update', { toolCallId: 't1', ...rest })

it('chunks are one message until something else is said', () => {
  const seen = live(says('Hel'), says('lo'), thinks('hm'), thinks('!'), says('again'))
  expect(texts(seen)).toEqual([
    ['message', 'Hello', false],
    ['thought', 'hm!', false],
    ['message', 'again', false],
  ])
  expect(of(seen, 'thought')[0]).toMatchObject({ n: 6, seq: 8, endedAt: 80 })
})

it('another messageId is another message, and one learnt late counts; the same holds for thoughts', () => {
  expect(texts(live(says('a', 'm1'), says('b', 'm1'), says('c', 'm2')))).toEqual([
    ['message', 'ab', false],
    ['message', 'c', false],
  ])
  expect(texts(live(says('a'), says('b', 'm1'), says('c'), says('d', 'm2')))).toEqual([
    ['message', 'abc', false],
    ['message', 'd', false],
  ])
  expect(texts(live(thinks('a', 'm1'), thinks('b', 'm2')))).toEqual([
    ['thought', 'a', false],
    ['thought', 'b', false],
  ])
})

it('a long text goes on in a new item, which says so, and keeps its messageId', () => {
  const long = 'x'.repeat(SPLIT_CHARS)
  for (const speak of [says, thinks]) {
    const seen = live(speak(long, 'm1'), speak('tail'), speak(' of m1', 'm1'), speak('other', 'm2'))
    expect(texts(seen).map(([, text, continues]) => [String(text).length, continues])).toEqual([
      [SPLIT_CHARS, false],
      [10, true],
      [5, false],
    ])
  }
})

it('a message that was there before a park does not go on after it', () => {
  const seen = live(says('before'), log.parked(1), log.resumed(1), says('after'))
  expect(texts(seen)).toEqual([
    ['message', 'before', false],
    ['message', 'after', false],
  ])
})

it('a user chunk is another role than an agent chunk', () => {
  const seen = live(
    says('I'),
    update('user_message_chunk', { content: { type: 'text', text: 'you' } }),
    says('I again'),
  )
  expect(of(seen, 'message').map((item) => item.kind === 'message' && item.role)).toEqual(['agent', 'user', 'agent'])
})

it('a user chunk that repeats the prompt of the live run is no item, in one piece or streamed', () => {
  const chunk = (text: string) => update('user_message_chunk', { content: { type: 'text', text } })
  expect(of(live(chunk('do it'), says('I'), chunk('do'), chunk(' it')), 'message')).toHaveLength(1)
})

it('blocks that are no text are kept in order; lists and bare text are read too', () => {
  const image = { type: 'image', data: 'AA==', mimeType: 'image/png' }
  const link = { type: 'resource_link', uri: 'file:///a', name: 'a' }
  const chunk = (content: unknown) => update('agent_message_chunk', { content })
  const seen = live(chunk(image), chunk('see '), chunk([{ type: 'text', text: 'this' }, link]), chunk({ type: 'new' }))
  expect(only(seen, 'message')).toMatchObject({ text: 'see this', blocks: [image, link, { type: 'new' }] })
})

it('an empty chunk makes no item; one without content is kept as said, and a thought that is no text too', () => {
  expect(texts(live(says(''), thinks('')))).toEqual([])
  expect(only(live(update('agent_message_chunk', {})), 'raw').name).toBe('agent_message_chunk')
  const picture = update('agent_thought_chunk', { content: { type: 'image', data: 'AA==' } })
  expect(only(live(picture), 'raw').update).toMatchObject({ content: { type: 'image' } })
})

it('a tool call begins with whatever word of it comes first', () => {
  const viaPermission: log.EventDraft = {
    type: 'agent.update',
    data: { acp: 1, agent: 'scripted', update: { toolCallId: 't1', rawInput: { command: 'ls' } }, via: 'permission' },
  }
  const whole = { title: 'List', kind: 'execute', status: 'completed' }
  for (const said of [
    [call(whole)],
    [change({ status: 'in_progress' }), call(whole)],
    [viaPermission, call({ title: 'List', kind: 'execute' }), change({ status: 'completed' })],
    [call(), call(whole)],
  ]) {
    const seen = live(...said)
    expect(only(seen, 'tool')).toMatchObject({ n: 4, title: 'List', toolKind: 'execute', status: 'completed' })
    expect(seen.view.index.unfinished).toEqual([])
  }
  expect(only(live(viaPermission), 'tool')).toMatchObject({
    title: 't1',
    toolKind: 'other',
    status: 'pending',
    rawInput: { command: 'ls' },
  })
})

it('fields left out or null stay; lists are replaced whole; odd locations are dropped', () => {
  const content = [{ type: 'diff', path: 'a', newText: 'b' }]
  const seen = live(
    call({ title: 'Edit', content, locations: [{ path: 'a', line: 3 }, { line: 1 }, null, { path: 'b', line: 'x' }] }),
    change({ title: null, content: null, rawOutput: null, status: 'in_progress' }),
    change({ locations: [], rawOutput: { ok: true } }),
  )
  expect(only(seen, 'tool')).toMatchObject({ title: 'Edit', content, locations: [], rawOutput: { ok: true } })
  const first = live(call({ locations: [{ path: 'a', line: 3 }, { line: 1 }, null, { path: 'b', line: 'x' }] }))
  expect(only(first, 'tool').locations).toEqual([{ path: 'a', line: 3 }, { path: 'b' }])
})

it('ids that every object has are ids like others', () => {
  for (const toolCallId of ['constructor', '__proto__', 'toString']) {
    const seen = live(call({ toolCallId, title: 'Read' }), change({ toolCallId, status: 'completed' }))
    expect(only(seen, 'tool')).toMatchObject({ toolCallId, title: 'Read', status: 'completed' })
  }
})

it('a call without an id, an unknown kind and an update that is no object are kept as said', () => {
  const odd: log.EventDraft = { type: 'agent.update', data: { acp: 1, agent: 'scripted', update: ['?'] } }
  const seen = live(update('tool_call', { title: 'Read' }), update('subagent_spawned', { id: 7 }), odd)
  expect(of(seen, 'raw')).toMatchObject([
    { name: 'tool_call', update: { title: 'Read' } },
    { name: 'subagent_spawned', update: { sessionUpdate: 'subagent_spawned', id: 7 } },
    { name: 'unnamed', update: ['?'] },
  ])
})

it('a call that goes on after its end is on again, and the end of the run interrupts it', () => {
  const again = live(call({ status: 'completed' }), change({ status: 'in_progress' }))
  expect(only(again, 'tool')).toMatchObject({ status: 'in_progress', endedAt: null })
  expect(again.view.index.unfinished).toEqual(['t1'])
  const over = live(call({ status: 'completed' }), change({ status: 'in_progress' }), log.ended(1))
  expect(only(over, 'tool').status).toBe('interrupted')
})

it('after the run: an end that comes late is taken, a step back is not, and the next run ends what is still open', () => {
  const cut = [call({ status: 'in_progress' }), log.ended(1)]
  expect(only(live(...cut, change({ status: 'completed', rawOutput: 'done' })), 'tool')).toMatchObject({
    status: 'completed',
    rawOutput: 'done',
    endedAt: 50,
  })
  expect(only(live(...cut, change({ status: 'in_progress', title: 'Late' })), 'tool')).toMatchObject({
    status: 'interrupted',
    title: 'Late',
    endedAt: 50,
  })
  const late = live(log.ended(1), call({ status: 'in_progress' }), log.asked(2), log.admitted(2))
  expect(only(late, 'tool').status).toBe('interrupted')
  expect(late.view.index).toEqual({
    message: null,
    thought: null,
    plan: null,
    files: null,
    tools: {},
    unfinished: [],
    begun: [],
  })
  expect(texts(live(log.ended(1), says('by the way')))).toEqual([['message', 'by the way', false]])
})

it('a plan is one item that is replaced whole; the next run has its own', () => {
  const plan = (...entries: unknown[]) => update('plan', { entries })
  const seen = live(plan({ content: 'a' }, 7), says('x'), plan({ content: 'b', status: 'completed', priority: 'high' }))
  expect(only(seen, 'plan')).toMatchObject({
    n: 4,
    seq: 6,
    entries: [{ content: 'b', priority: 'high', status: 'completed' }],
  })
  expect(only(live(plan({ content: 'a' }, 7)), 'plan').entries[1]).toEqual({
    content: '',
    priority: 'medium',
    status: 'pending',
  })
  const next = live(
    plan({ content: 'a' }),
    log.ended(1),
    log.asked(2),
    log.admitted(2),
    update('plan', { entries: 'none' }),
  )
  expect(of(next, 'plan')).toHaveLength(2)
})

it('ten megabytes of output are clipped and the clip is counted until another value takes its place', () => {
  const big = 'é'.repeat(10_000_000)
  const seen = live(call({ rawOutput: { stdout: big } }))
  const tool = only(seen, 'tool')
  expect(tool.clippedBytes).toBe(10_000_000 - CLIP_BYTES)
  expect(JSON.stringify(tool).length).toBeLessThan(CLIP_BYTES + 2_000)
  const kept = live(call({ rawOutput: { stdout: big } }), change({ content: [], status: 'completed' }))
  expect(only(kept, 'tool').clippedBytes).toBe(10_000_000 - CLIP_BYTES)
  const gone = live(call({ rawOutput: { stdout: big } }), change({ rawOutput: 'short' }))
  expect(only(gone, 'tool').clippedBytes).toBe(0)
  expect(only(live(says(big)), 'message').text.length).toBeLessThan(CLIP_BYTES + 200)
})

it('what an agent says of itself goes into the view, with odd parts dropped', () => {
  const seen = live(
    update('available_commands_update', {
      availableCommands: [{ name: 'go', input: { hint: 'where' } }, { name: 4 }, null],
    }),
    update('current_mode_update', { currentModeId: 'https://modes/ask' }),
    update('config_option_update', { configOptions: [{ id: 'model' }] }),
    update('config_option_update', { configOptions: 'none' }),
    update('session_info_update', { title: '  A title  ' }),
    update('session_info_update', { title: '   ' }),
    update('usage_update', { used: 5, size: Number.NaN, cost: { amount: 1 } }),
  )
  expect(seen.view.title).toBe('A title')
  expect(seen.view.agents.scripted).toMatchObject({
    commands: [{ name: 'go', description: '', hint: 'where' }],
    mode: 'https://modes/ask',
    options: [{ id: 'model' }],
    usage: { used: 5, size: 0, cost: { amount: 1 } },
  })
  expect(seen.items.size).toBe(1)
})

it('L9: the index of a run stays small however many tool calls it makes, and an open call is always in it', () => {
  const numbered = (id: number, status: string) => update('tool_call_update', { toolCallId: `c${id}`, status })
  const calls = Array.from({ length: 3_000 }, (_, id) => [numbered(id, 'pending'), numbered(id, 'completed')]).flat()
  const seen = live(call({ status: 'in_progress' }), ...calls, change({ status: 'completed', title: 'late' }))
  expect(Object.keys(seen.view.index.tools).length).toBeLessThan(200)
  const tools = of(seen, 'tool') as ToolItem[]
  expect(tools.length).toBe(3_001)
  expect(tools.every(({ status }) => status === 'completed')).toBe(true)
  expect(tools[0]?.title).toBe('late')
})

it('L9: of more than a thousand open tool calls the oldest counts as interrupted', () => {
  const calls = Array.from({ length: 1_002 }, (_, id) => update('tool_call', { toolCallId: `c${id}` }))
  const seen = live(...calls)
  expect(seen.view.index.unfinished.length).toBe(1_000)
  expect((of(seen, 'tool') as ToolItem[]).map(({ status }) => status).slice(0, 3)).toEqual([
    'interrupted',
    'interrupted',
    'pending',
  ])
})
