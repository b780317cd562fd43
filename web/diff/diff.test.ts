import { expect, it } from 'vitest'
import type { Hunk } from '../../src/model/files/history.ts'
import { indexesIn, languageOf, toHunkData } from './hunks.ts'
import { promptOf, type Remark } from './remarks.ts'

const hunk = (more: Partial<Hunk>): Hunk => ({
  oldStart: 1,
  oldLines: 1,
  newStart: 1,
  newLines: 1,
  lines: [],
  author: null,
  ...more,
})

it('lines of a hunk have the numbers of their sides, and a missing end is no line', () => {
  const lines = [' same', '-old', '+new', '+more', '\\ No newline at end of file']
  const { changes, content } = toHunkData(hunk({ oldStart: 4, oldLines: 2, newStart: 6, newLines: 3, lines }))
  expect(content).toBe('@@ -4,2 +6,3 @@')
  expect(changes).toMatchObject([
    { type: 'normal', content: 'same', oldLineNumber: 4, newLineNumber: 6 },
    { type: 'delete', content: 'old', lineNumber: 5 },
    { type: 'insert', content: 'new', lineNumber: 7 },
    { type: 'insert', content: 'more', lineNumber: 8 },
  ])
})

it('hunks that became one by unfolding are all found in it, and no other', () => {
  const hunks = [hunk({ newStart: 1, newLines: 3 }), hunk({ newStart: 9, newLines: 2 }), hunk({ newStart: 40 })]
  const joined = { ...toHunkData(hunks[0]!), newStart: 1, newLines: 10 }
  expect(indexesIn(hunks, joined)).toEqual([0, 1])
  expect(indexesIn(hunks, toHunkData(hunks[2]!))).toEqual([2])
})

it('remarks are one prompt in the order of paths and lines, and a quote cannot close its fence', () => {
  const remark = (path: string, number: number, quote: string, more: Partial<Remark> = {}): Remark => ({
    path,
    line: `I${number}`,
    number,
    gone: false,
    quote,
    text: ` about ${number} `,
    ...more,
  })
  const prompt = promptOf(
    [remark('b.ts', 2, 'two'), remark('a.ts', 9, '```js'), remark('b.ts', 1, 'one', { gone: true })],
    'gone',
  )
  expect(prompt).toBe(
    'a.ts:9\n````\n```js\n````\nabout 9\n\nb.ts:1 (gone)\n```\none\n```\nabout 1\n\nb.ts:2\n```\ntwo\n```\nabout 2',
  )
})

it.each([
  ['src/a.ts', 'ts'],
  ['Dockerfile', 'docker'],
  ['a/Dockerfile', 'docker'],
  ['Makefile', ''],
])('the language of %s is %j', (path, language) => {
  expect(languageOf(path)).toBe(language)
})
