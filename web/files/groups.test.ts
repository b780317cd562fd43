import { expect, it } from 'vitest'
import { MINE, OTHER, PERSON, touched } from '../gallery/file-data.ts'
import { byAuthor, byFolder, changeKindOf, shownPath, telling } from './groups.ts'

it('runs of one session are one author, in the order they come', () => {
  const again = { ...MINE, run: 'run_other' } as never
  const changes = [
    touched('a', { author: OTHER }),
    touched('b'),
    touched('c', { author: again }),
    touched('d', { author: PERSON }),
  ]
  expect(byAuthor(changes).map(({ changes: own }) => own.map(({ path }) => path))).toEqual([['a'], ['b', 'c'], ['d']])
})

it('folders stand in order with their files, the root first', () => {
  const changes = ['z/b', 'z/a', 'a', 'b/c/d'].map((path) => touched(path))
  expect(byFolder(changes).map(({ folder, changes: own }) => [folder, own.map(({ path }) => path)])).toEqual([
    ['', ['a']],
    ['b/c', ['b/c/d']],
    ['z', ['z/a', 'z/b']],
  ])
})

it('a byte that is no text is shown as a sign', () => {
  expect(shownPath('a\udcffb')).toBe('a\ufffdb')
})

it('a created folder is implied by its files, an empty one is listed', () => {
  const folder = { kind: 'folder', digest: null, mode: 0o755, size: 0 } as const
  const changes = [
    touched('a', { before: null, after: folder }),
    touched('a/b', { before: null, after: folder }),
    touched('a/b/c.ts'),
    touched('empty', { before: null, after: folder }),
  ]
  expect(telling(changes).map(({ path }) => path)).toEqual(['a/b/c.ts', 'empty'])
})

it('what came and went again between two looks of a session is removed, not new', () => {
  const file = { kind: 'file', digest: 'a', mode: 0o644, size: 1 } as const
  expect(changeKindOf({ before: null, after: file })).toBe('created')
  expect(changeKindOf({ before: file, after: null })).toBe('removed')
  expect(changeKindOf({ before: null, after: null })).toBe('removed')
})
