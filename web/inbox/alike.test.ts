import { expect, it } from 'vitest'
import { EMPTY_WORKSPACE, type WorkspaceView } from '../../src/model/events/workspace-log.ts'
import type { Interaction } from '../../src/model/interaction.ts'
import { alikeOf } from './alike.ts'

const OPTIONS = [
  { id: 'a', label: 'Allow', kind: 'allow_once' },
  { id: 'r', label: 'Reject', kind: 'reject_once' },
]

function asked(id: string, more: Record<string, unknown> = {}, space = 'one'): Interaction {
  const question = {
    kind: 'permission',
    title: 'Run npm test',
    body: null,
    options: OPTIONS,
    toolCallId: id,
    toolKind: 'execute',
    paths: [],
    command: 'npm test',
    ...more,
  }
  return { id, space, session: `s-${id}`, agent: 'scripted', question } as unknown as Interaction
}

const WORKSPACE = {
  ...EMPTY_WORKSPACE,
  spaces: { one: { folder: '/one' }, two: { folder: '/two' } },
} as unknown as WorkspaceView
const ids = (open: Interaction[]) => [...alikeOf(open, WORKSPACE).values()].map((each) => each.map(({ id }) => id))

it('the same command asked by several calls, with options named anew, is one question', () => {
  const anew = OPTIONS.map((option) => ({ ...option, id: `${option.id}2` }))
  expect(ids([asked('1'), asked('2', { options: anew }), asked('3')])).toEqual([['1', '2', '3']])
})

it('another command, other paths, other answers, another folder or a form are not the same', () => {
  const others = [
    asked('2', { command: 'npm test && rm -rf x' }),
    asked('3', { command: null, paths: ['a.txt'] }),
    asked('4', { options: OPTIONS.slice(0, 1) }),
    asked('5', {}, 'two'),
    asked('6', { title: 'Run something' }),
    asked('7', { kind: 'form' }),
    asked('8', { kind: 'form' }),
  ]
  expect(ids([asked('1'), ...others])).toEqual([])
})
