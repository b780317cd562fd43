import { expect, it } from 'vitest'
import { createToolPaths, pathsInside } from './tool-paths.ts'

const call = (toolCallId: string, more: object) => ({ sessionUpdate: 'tool_call_update', toolCallId, ...more })
const at = (path: string) => ({ locations: [{ path }] })
const open = () => createToolPaths(pathsInside('/place', '/proc/7/root/place'), () => 5)

it('an edit names its paths from its first update to the first take after its end', () => {
  const paths = open()
  expect(paths.hear(call('1', { kind: 'edit', ...at('/place/a.txt') }))).toMatchObject({
    ended: false,
    names: ['a.txt'],
  })
  expect(paths.take()).toEqual(['a.txt'])
  // The call is not over, so it may still write.
  expect(paths.take()).toEqual(['a.txt'])
  expect(paths.hear(call('1', { status: 'completed' }))).toMatchObject({ ended: true })
  expect(paths.named()).toEqual(['a.txt'])
  expect(paths.take()).toEqual(['a.txt'])
  expect(paths.take()).toEqual([])
})

it('a call that reads names no written path, and its end is no reason for a scan', () => {
  const paths = open()
  expect(paths.hear(call('1', { kind: 'read', status: 'completed', ...at('/place/a.txt') }))).toMatchObject({
    ended: false,
    names: [],
  })
  expect(paths.take()).toEqual([])
  expect(paths.since(5)).toEqual(['a.txt'])
  expect(paths.since(6)).toEqual([])
})

it('a command, and a call without a kind, may have written anything', () => {
  const paths = open()
  expect(paths.hear(call('1', { kind: 'execute', status: 'completed' })).ended).toBe(true)
  expect(paths.hear(call('2', { status: 'failed' })).ended).toBe(true)
  expect(paths.hear(call('2', { status: 'failed' })).ended).toBe(false)
  expect(paths.take()).toEqual([])
})

it('a diff names its path, whatever the kind of its call', () => {
  const paths = open()
  const content = [{ type: 'diff', path: '/place/sub/b.txt', oldText: 'x', newText: 'y' }]
  expect(paths.hear(call('1', { kind: 'other', content })).names).toEqual(['sub/b.txt'])
})

it('paths outside the place and updates that are no calls name nothing', () => {
  const paths = open()
  expect(paths.hear(call('1', { kind: 'edit', ...at('/place/../etc/passwd') })).names).toEqual([])
  expect(paths.hear(call('1', { kind: 'edit', ...at('/placebo/a') })).names).toEqual([])
  expect(paths.hear(call('1', { kind: 'edit', ...at('/proc/7/root/place/in/it') })).names).toEqual(['in/it'])
  expect(paths.hear(call('1', { kind: 'edit', ...at('relative.txt') })).names).toEqual(['relative.txt'])
  for (const update of [null, 'x', { sessionUpdate: 'plan' }, { sessionUpdate: 'tool_call' }])
    expect(paths.hear(update)).toEqual({ ended: false, late: false, names: [] })
})

it('a call runs from its first report to its end; one that only reads, or is asked about, does not', () => {
  const paths = open()
  paths.hear(call('1', { kind: 'read' }))
  expect(paths.isRunning()).toBe(false)
  paths.hear(call('2', { kind: 'execute' }))
  expect(paths.isRunning()).toBe(true)
  expect(paths.isRunning(new Set(['2']))).toBe(false)
  expect(paths.hear(call('2', { status: 'completed' })).late).toBe(false)
  expect(paths.isRunning()).toBe(false)
  expect(paths.hear(call('3', { status: 'completed' })).late).toBe(true)
})

it('a path that Carrel writes for the agent is named until the first take after the write', () => {
  const paths = open()
  paths.writes('a.txt')
  expect([paths.take(), paths.take()]).toEqual([['a.txt'], ['a.txt']])
  paths.wrote('a.txt', 'written')
  expect([paths.take(), paths.take()]).toEqual([['a.txt'], []])
  paths.writes('b.txt')
  paths.wrote('b.txt', 'failed')
  expect(paths.take()).toEqual([])
})
