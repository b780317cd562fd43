import { expect, it } from 'vitest'
import type { ToolItem } from '../../../model/events/items.ts'
import { fingerprint } from '../../../model/interaction.ts'
import { permissionQuestion, toolCallUpdate } from './questions.ts'

const options = [{ optionId: 'yes', name: 'Yes', kind: 'allow_once' }]

const known = (path: string): ToolItem => ({
  n: 3,
  seq: 4,
  at: 0,
  run: null,
  kind: 'tool',
  toolCallId: 'c1',
  title: `Writing ${path}`,
  toolKind: 'edit',
  status: 'pending',
  content: [],
  locations: [{ path }],
  clippedBytes: 0,
  ruled: null,
  startedAt: 0,
  endedAt: null,
})

it('a permission request keeps the known fields of its tool call', () => {
  const request = { toolCall: { toolCallId: 'c1', title: 'Write', kind: null }, options }
  expect(permissionQuestion(request, known('/w/a.txt'))).toMatchObject({
    title: 'Write',
    toolKind: 'edit',
    paths: ['/w/a.txt'],
    toolCallId: 'c1',
  })
  expect(permissionQuestion(request)).toMatchObject({ title: 'Write', toolKind: null, paths: [] })
})

it('I3: two bare questions about different calls are not the same question', () => {
  const request = { toolCall: { toolCallId: 'c1', title: 'Write' }, options }
  const print = (path: string) => fingerprint('kimi', permissionQuestion(request, known(path)))
  expect(print('/w/a.txt')).toBe(print('/w/a.txt'))
  expect(print('/w/a.txt')).not.toBe(print('/w/b.txt'))
  const words = (text: string) => ({ toolCall: { ...request.toolCall, content: [{ type: 'content', text }] }, options })
  expect(fingerprint('kimi', permissionQuestion(words('a')))).not.toBe(
    fingerprint('kimi', permissionQuestion(words('b'))),
  )
})

it('a request that names no tool call amounts to no update', () => {
  expect(toolCallUpdate({ options })).toBeNull()
  expect(toolCallUpdate({ toolCall: { toolCallId: 'c1', title: 'Write' } })).toEqual({
    sessionUpdate: 'tool_call_update',
    toolCallId: 'c1',
    title: 'Write',
  })
})
