import { expect, it } from 'vitest'
import type { Conflict, FileState, PlanEntry } from '../../../model/files/history.ts'
import { spreadConflicts } from './plan-shape.ts'

const STUCK: Conflict = { kind: 'gap', why: 'ignored' }
const folder: FileState = { kind: 'folder', digest: null, mode: 0o755, size: 0 }
const file = (digest: string): FileState => ({ kind: 'file', digest, mode: 0o644, size: digest.length })
const entry = (path: string, now: FileState | null, next: FileState | null, ...conflicts: Conflict[]): PlanEntry => ({
  path,
  now,
  next,
  how: next === null ? 'delete' : 'write',
  author: null,
  conflicts,
})

it.each<[string, PlanEntry[], string[]]>([
  ['a move', [entry('a', null, file('A'), STUCK), entry('b', file('A'), null)], ['a', 'b']],
  ['a swap', [entry('a', file('B'), file('A'), STUCK), entry('b', file('A'), file('B'))], ['a', 'b']],
  [
    'three files in a circle',
    [entry('a', file('C'), file('A'), STUCK), entry('b', file('A'), file('B')), entry('c', file('B'), file('C'))],
    ['a', 'b', 'c'],
  ],
  [
    'a swap of a file and a folder',
    [
      entry('a', folder, file('A'), STUCK),
      entry('a/x', file('X'), null),
      entry('b', file('A'), folder),
      entry('b/x', null, file('X')),
      entry('c', file('old'), file('new')),
    ],
    ['a', 'a/x', 'b', 'b/x'],
  ],
  ['an empty file is nobody’s', [entry('a', null, file(''), STUCK), entry('b', file(''), null)], ['a']],
  ['another content', [entry('a', file('B'), file('A'), STUCK), entry('b', file('C'), file('B'))], ['a']],
])('F2: where one path is stuck, no path is written over the only copy of its content: %s', (_, entries, due) => {
  const asked = spreadConflicts(entries).filter(({ conflicts }) => conflicts.length > 0)
  expect(asked.map(({ path }) => path)).toEqual(due)
})
