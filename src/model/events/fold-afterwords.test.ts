import { expect, it } from 'vitest'
import * as log from '../../../test/support/session-log.ts'
import { nextStep, sessionState, waitsForPerson } from './view.ts'

const over = [...log.underWay(1), log.says('first. '), log.ended(1)]
const messages = ({ items }: log.Seen) =>
  [...items.values()].flatMap((item) =>
    item.kind === 'message' ? [{ run: item.run, text: item.text, afterword: item.afterword ?? false }] : [],
  )

it('L11: text after the end of a run is an afterword of that run, and no part of its answer', () => {
  const seen = log.seeLog([...over, log.afterword(1, log.says('late 5. ')), log.afterword(1, log.says('late 20. '))])
  expect(messages(seen)).toEqual([
    { run: log.run(1), text: 'first. ', afterword: false },
    { run: log.run(1), text: 'late 5. late 20. ', afterword: true },
  ])
})

it('L11: text between the start of a run and its prompt is an afterword of the run before', () => {
  const seen = log.seeLog([
    ...over,
    ...log.underWay(2),
    log.afterword(1, log.says('late. ')),
    log.says('second. '),
    log.afterword(1, log.says('later. ')),
    log.says('more.'),
  ])
  expect(messages(seen)).toEqual([
    { run: log.run(1), text: 'first. ', afterword: false },
    { run: log.run(1), text: 'late. later. ', afterword: true },
    { run: log.run(2), text: 'second. more.', afterword: false },
  ])
})

it('L11: a tool call that the end of a run interrupted goes on and ends as an afterword', () => {
  const call = log.update('tool_call', { toolCallId: 't1', title: 'npm test', status: 'in_progress' })
  const before = [...log.underWay(1), call, log.ended(1)]
  expect(log.only(log.seeLog(before), 'tool').status).toBe('interrupted')
  const update = (status: string) => log.afterword(1, log.update('tool_call_update', { toolCallId: 't1', status }))
  const running = [...before, update('in_progress')]
  expect(log.only(log.seeLog(running), 'tool')).toMatchObject({ status: 'in_progress', endedAt: null })
  const next = [...running, ...log.underWay(2), log.ended(2)]
  expect(
    log.only(
      log.seeLog([
        ...next,
        log.afterword(2, log.update('tool_call_update', { toolCallId: 't1', status: 'completed' })),
      ]),
      'tool',
    ),
  ).toMatchObject({ status: 'completed' })
  const cut = log.only(log.seeLog([...running, log.background(1, [], 'The server stopped.')]), 'tool')
  expect(cut.status).toBe('interrupted')
})

it('a tool call of a closed conversation is no background work of the run that goes on in another one', () => {
  const conversation = { agent: 'scripted', acpSession: 's', fingerprint: 'f', how: 'resumed', info: {}, opened: {} }
  const opened = { type: 'context.opened', run: log.run(1), data: { ...conversation, keeper: 'k1' } } as const
  const call = log.update('tool_call', { toolCallId: 't1', title: 'npm test', status: 'in_progress' })
  const cut = [...log.underWay(1), opened, call, opened]
  expect(log.only(log.seeLog(cut), 'tool').status).toBe('interrupted')
  expect(log.seeLog([...cut, log.ended(1)]).view.agents.scripted?.ended?.left).toEqual([])
  const again = log.seeLog([...cut, call, log.ended(1)])
  expect(again.view.agents.scripted?.ended?.left).toEqual(['t1'])
})

it('a tool call that was only asked about is no background work of the run that asked', () => {
  const left = (status: string) => {
    const call = log.update('tool_call', { toolCallId: 't1', title: 'npm test', status })
    return log.seeLog([...log.underWay(1), call, log.ended(1)]).view.agents.scripted?.ended?.left
  }
  expect([left('pending'), left('in_progress')]).toEqual([[], ['t1']])
})

it('L11: a question after a run outlives a later run, and neither parks nor settles it', () => {
  const asked = [...over, log.afterword(1, log.opened(1))]
  expect(sessionState(log.seeLog(asked).view)).toBe('waiting')
  const later = log.seeLog([...asked, ...log.underWay(2)])
  expect(waitsForPerson(later.view)).toBe(false)
  const ended = log.seeLog([...asked, ...log.underWay(2), log.ended(2), log.answered(1)])
  expect(ended.view.grants).toMatchObject([{ interaction: log.interaction(1), afterword: true }])
  const used = log.seeLog([...asked, log.answered(1), log.used(1)])
  expect(log.only(used, 'question')).toMatchObject({ state: 'answered', used: true, afterword: true })
  expect(used.view.grants).toEqual([])
})

it('L11: a session withdraws a question of an agent that no process of this node has', () => {
  const { view } = log.seeLog([...over, log.afterword(1, log.opened(1))])
  const id = log.interaction(1)
  expect(nextStep(view, 0)).toEqual({ do: 'withdraw', interaction: id, run: log.run(1) })
  expect(nextStep(view, 0, { served: new Set([id]) })).toEqual({ do: 'rest' })
  const answered = log.seeLog([...over, log.afterword(1, log.opened(1)), log.answered(1)]).view
  expect(nextStep(answered, 0)).toMatchObject({ do: 'drop', grant: { interaction: id } })
  expect(nextStep(answered, 0, { served: new Set([id]) })).toEqual({ do: 'rest' })
})

it('L11: usage after a run counts for no later run', () => {
  const usage = (used: number) => log.update('usage_update', { used, size: 100 })
  const { scripted } = log.seeLog([...log.underWay(1), usage(5), log.ended(1), log.afterword(1, usage(9))]).view.agents
  expect(scripted).toMatchObject({ usage: { used: 9 }, usageBetween: { used: 9 } })
})

it('L11: files of background work join the files of their run', () => {
  const seen = log.seeLog([
    ...log.underWay(1),
    log.changed(1, 2, 'a.txt'),
    log.ended(1),
    ...log.underWay(2),
    log.afterword(1, log.changed(1, 3, 'a.txt', 'b.txt')),
    log.changed(2, 4, 'c.txt'),
  ])
  const files = [...seen.items.values()].flatMap((item) => (item.kind === 'files' ? [item] : []))
  expect(files.map(({ run, files: of }) => [run, of.map(({ path }) => path)])).toEqual([
    [log.run(1), ['a.txt', 'b.txt']],
    [log.run(2), ['c.txt']],
  ])
})
