import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compareVersions, hunksOf, pickHunks } from './hunks.ts'
import { linesOf, type Version } from './merge.ts'

const text = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', ''), fc.constantFrom('\n', '\n', '\r\n')), { maxLength: 40 }),
    fc.constantFrom('', 'e'),
  )
  .map(([lines, last]) => lines.map((line) => line.join('')).join('') + last)

it('all hunks make the next text, none leaves the present one', () => {
  fc.assert(
    fc.property(text, text, (now, next) => {
      const all = hunksOf(now, next).map((_, at) => at)
      expect(pickHunks(now, next, all)).toBe(next)
      expect(pickHunks(now, next, [])).toBe(now)
    }),
  )
})

it('a hunk says where it stands, in the numbers of unified diffs', () => {
  fc.assert(
    fc.property(text, text, (now, next) => {
      const [from, to] = [linesOf(now), linesOf(next)]
      for (const hunk of hunksOf(now, next)) {
        const lines = (sign: string) =>
          hunk.lines.filter((line) => line.startsWith(' ') || line.startsWith(sign)).map((line) => line.slice(1))
        const at = (start: number, many: number, whole: string[]) => {
          const first = many === 0 ? start : start - 1
          return whole.slice(first, first + many).map((line) => line.replace(/\n$/, ''))
        }
        expect(lines('-')).toEqual(at(hunk.oldStart, hunk.oldLines, from))
        expect(lines('+')).toEqual(at(hunk.newStart, hunk.newLines, to))
      }
    }),
  )
})

it('one hunk of two is done, the other is not', () => {
  const now = Array.from({ length: 20 }, (_, at) => `${at}\r\n`).join('')
  const next = now.replace('2\r\n', 'two\r\n').replace('18\r\n', '')
  expect(hunksOf(now, next)).toHaveLength(2)
  expect(pickHunks(now, next, [0])).toBe(now.replace('2\r\n', 'two\r\n'))
  expect(pickHunks(now, next, [1])).toBe(now.replace('18\r\n', ''))
})

it('a hunk that is not there is bad input', () => {
  expect(() => pickHunks('a\n', 'b\n', [1])).toThrow(expect.objectContaining({ code: 'bad_input' }))
})

it('texts that have nothing in common are one hunk', () => {
  const of = (word: string) => Array.from({ length: 4_000 }, (_, at) => `${word} ${at}\n`).join('')
  const [now, next] = [of('a'), `${of('b')}end`]
  const [hunk, ...more] = hunksOf(now, next)
  expect(more).toEqual([])
  expect(hunk).toMatchObject({ oldStart: 1, oldLines: 4_000, newStart: 1, newLines: 4_001 })
  expect(hunk?.lines.slice(-2)).toEqual(['+end', '\\ No newline at end of file'])
  expect(pickHunks(now, next, [0])).toBe(next)
})

it.each<[string, Uint8Array | null, string]>([
  ['text', new TextEncoder().encode('a\n'), 'text'],
  ['bytes', new Uint8Array([0, 255]), 'binary'],
  ['content that is not kept', null, 'gone'],
  ['more than a person reads', new Uint8Array(1_048_577), 'large'],
])('%s is compared as it can be', (_, bytes, content) => {
  const nothing: Version = { state: null, bytes: () => null }
  const state = { kind: 'file' as const, digest: 'x', mode: 0o644, size: bytes?.length ?? 1 }
  expect(compareVersions('a', nothing, { state, bytes: () => bytes }).content).toBe(content)
})
