import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { readLines } from './lines.ts'

interface Case {
  readonly title: string
  readonly chunks: readonly string[]
  readonly lines: readonly string[]
  readonly tooLarge?: boolean
}

it.each<Case>([
  { title: 'nothing', chunks: [], lines: [] },
  { title: 'lines of one chunk', chunks: ['a\nb\n'], lines: ['a', 'b'] },
  { title: 'a line over three chunks', chunks: ['a', 'b', 'c\nd\n'], lines: ['abc', 'd'] },
  { title: 'blank lines are left out', chunks: ['\n  \na\n\n'], lines: ['a'] },
  { title: 'an unfinished line is left out', chunks: ['a\nb'], lines: ['a'] },
  { title: 'a line of the largest size', chunks: ['12345678\n'], lines: ['12345678'] },
  { title: 'a larger line ends the reading', chunks: ['a\n123456789\nb\n', 'c\n'], lines: ['a'], tooLarge: true },
  { title: 'a larger line without an end', chunks: ['12345', '6789'], lines: [], tooLarge: true },
])('$title', async ({ chunks, lines, tooLarge = false }) => {
  const input = Readable.from(chunks.map((chunk) => Buffer.from(chunk)))
  const seen: string[] = []
  let stopped = 0
  readLines(
    input,
    8,
    (line) => seen.push(line),
    () => {
      stopped += 1
    },
  )
  await new Promise((resolve) => input.once('end', resolve))
  expect([seen, stopped]).toEqual([lines, tooLarge ? 1 : 0])
})

it('a character that two chunks share stays whole', async () => {
  const bytes = Buffer.from('\u00e4\n')
  const input = Readable.from([bytes.subarray(0, 1), bytes.subarray(1)])
  const seen: string[] = []
  readLines(
    input,
    8,
    (line) => seen.push(line),
    () => undefined,
  )
  await new Promise((resolve) => input.once('end', resolve))
  expect(seen).toEqual(['\u00e4'])
})
