import { expect, it } from 'vitest'
import { NAMED_PATHS } from '../../../model/events/events.ts'
import type { Change, FileState } from '../../../model/files/history.ts'
import { RunChanges } from './run-changes.ts'

const file = (digest: string): FileState => ({ kind: 'file', digest, mode: 0o644, size: 1 })
const folder: FileState = { kind: 'folder', digest: null, mode: 0o755, size: 0 }
const change = (path: string, before: FileState | null, after: FileState | null): Change => ({
  path,
  before,
  after,
  n: 1,
  at: 1,
  author: { kind: 'outside' },
  certainty: 'external',
})

it('a path counts once, from before its first change to after its last', () => {
  const changes = new RunChanges()
  changes.take([change('a', null, file('1')), change('b', file('1'), file('2'))])
  changes.take([change('a', file('1'), file('2')), change('b', file('2'), file('1')), change('c', file('1'), null)])
  expect(changes.summary()).toEqual({
    counts: { created: 1, modified: 0, deleted: 1 },
    files: [
      { path: 'a', change: 'created' },
      { path: 'c', change: 'deleted' },
    ],
  })
})

it('folders are not counted, and a file in the place of a folder is a new one', () => {
  const changes = new RunChanges()
  changes.take([change('d', null, folder), change('e', folder, file('1'))])
  expect(changes.summary().files).toEqual([{ path: 'e', change: 'created' }])
})

it('the counts are of all, the names of some', () => {
  const changes = new RunChanges()
  changes.reset(Array.from({ length: 80 }, (_, n) => change(`f${n}`, null, file('1'))))
  const { counts, files } = changes.summary()
  expect(counts.created).toBe(80)
  expect(files).toHaveLength(NAMED_PATHS)
})
