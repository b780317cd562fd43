import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { FileState } from './history.ts'
import { linesOf, type Merged, mergeTexts, mergeVersions, textOf, type Version } from './merge.ts'

/** Few different lines, every kind of line end, and a last line with or without one: what makes merging hard. */
const text = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', '', '\ufeffd', 'é'), fc.constantFrom('\n', '\r\n')), {
      maxLength: 12,
    }),
    fc.constantFrom('', 'e', '\r'),
  )
  .map(([lines, last]) => lines.map((line) => line.join('')).join('') + last)

const bytesOf = (words: string) => new TextEncoder().encode(words)
const version = (content: string | Uint8Array | null, part: Partial<FileState> = {}): Version => {
  if (content === null) return { state: null, bytes: () => null }
  const bytes = typeof content === 'string' ? bytesOf(content) : content
  const digest = String(bytes)
  return { state: { kind: 'file', digest, mode: 0o644, size: bytes.length, ...part }, bytes: () => bytes }
}
const textIn = (merged: Merged) => (merged.kind === 'text' ? merged.text : merged.kind)

it('a text that only one side changed is that side', () => {
  fc.assert(
    fc.property(text, text, (base, changed) => {
      expect(mergeTexts({ base, ours: base, theirs: changed })).toEqual({ text: changed })
      expect(mergeTexts({ base, ours: changed, theirs: base })).toEqual({ text: changed })
    }),
  )
})

it('equal changes are no conflict', () => {
  fc.assert(
    fc.property(text, text, (base, changed) => {
      expect(mergeTexts({ base, ours: changed, theirs: changed })).toEqual({ text: changed })
    }),
  )
})

it('F2: a clean merge has every change of both sides, and nothing else', () => {
  // Each line of base is its own; each side does something to lines that the other one leaves alone.
  const edits = fc.array(fc.constantFrom('keep', 'cut', 'change', 'insert'), { minLength: 3, maxLength: 30 })
  fc.assert(
    fc.property(edits, fc.constantFrom('\n', '\r\n'), (plan, end) => {
      const edit = (mine: (at: number) => boolean, name: string) =>
        plan.flatMap((what, at) => {
          const line = `line ${at}${end}`
          if (!mine(at) || what === 'keep') return [line]
          if (what === 'cut') return []
          return what === 'change' ? [`${name} ${at}${end}`] : [`${name} ${at}${end}`, line]
        })
      const side = (at: number) => (at % 4 === 0 ? 'ours' : at % 4 === 2 ? 'theirs' : null)
      const base = edit(() => false, '').join('')
      const ours = edit((at) => side(at) === 'ours', 'ours').join('')
      const theirs = edit((at) => side(at) === 'theirs', 'theirs').join('')
      const both = edit((at) => side(at) !== null, 'both').join('')
      const merged = mergeTexts({ base, ours, theirs })
      expect(merged).toHaveProperty('text')
      const lines = linesOf('text' in merged ? merged.text : '')
      expect(lines.map((line) => line.replace(/^(ours|theirs) /, 'both ')).join('')).toBe(both)
    }),
  )
})

it('F2: whatever three texts there are, a clean merge keeps each new line of both', () => {
  fc.assert(
    fc.property(text, text, text, (base, ours, theirs) => {
      const merged = mergeTexts({ base, ours, theirs })
      if (!('text' in merged)) return
      const known = new Set(linesOf(base))
      const there = new Set(linesOf(merged.text))
      // A last line without an end gets one when something follows it, which is what the other side did to it.
      for (const line of [...linesOf(ours), ...linesOf(theirs)]) if (!known.has(line)) expect(there).toContain(line)
    }),
  )
})

it('CRLF, a byte order mark and a missing last line end stay as they are', () => {
  const base = '\ufeffone\r\ntwo\r\nthree\r\nfour\r\nfive'
  const ours = '\ufeffONE\r\ntwo\r\nthree\r\nfour\r\nfive'
  const theirs = '\ufeffone\r\ntwo\r\nthree\r\nfour\r\nFIVE'
  expect(mergeTexts({ base, ours, theirs })).toEqual({ text: '\ufeffONE\r\ntwo\r\nthree\r\nfour\r\nFIVE' })
  expect(textOf(bytesOf(base))).toBe(base)
})

it('lines that touch are a conflict, and are counted', () => {
  expect(mergeTexts({ base: 'a\nb\nc\nd\ne\n', ours: 'A\nb\nc\nd\nE\n', theirs: '1\nb\nc\nd\n5\n' })).toEqual({
    conflicts: 2,
  })
  expect(mergeTexts({ base: '', ours: 'a\n', theirs: 'b\n' })).toEqual({ conflicts: 1 })
})

it('texts too different to compare are a conflict, not an hour', () => {
  const of = (seed: number) => Array.from({ length: 60_000 }, (_, at) => `${(at * seed) % 60_013}\n`).join('')
  expect(mergeTexts({ base: of(7), ours: of(11), theirs: of(13) })).toEqual({ conflicts: 1 })
})

it('what is no UTF-8, or holds a zero, is no text', () => {
  expect(textOf(new Uint8Array([0x61, 0xff, 0x0a]))).toBeNull()
  expect(textOf(new Uint8Array([0x61, 0x00]))).toBeNull()
})

it('binary content is never merged by lines', () => {
  const bytes = (...tail: number[]) => new Uint8Array([0x0a, 0xff, 0x0a, 0x61, 0x0a, ...tail])
  const merged = mergeVersions({ base: version(bytes(1)), ours: version(bytes(1, 10, 2)), theirs: version(bytes(3)) })
  expect(merged).toEqual({ kind: 'conflict', hunks: 1 })
})

it('a mode changed on one side goes with content changed on the other', () => {
  const [base, ours] = [version('a\n'), version('b\n')]
  const theirs = version('a\n', { mode: 0o755 })
  expect(mergeVersions({ base, ours, theirs })).toEqual({ kind: 'mixed', mode: 0o755, content: ours })
  expect(mergeVersions({ base, ours: theirs, theirs: ours })).toEqual({ kind: 'mixed', mode: 0o755, content: ours })
})

it('a mode goes with merged lines too', () => {
  const base = version('a\nb\nc\n')
  const merged = mergeVersions({ base, ours: version('A\nb\nc\n', { mode: 0o600 }), theirs: version('a\nb\nC\n') })
  expect(merged).toEqual({ kind: 'text', mode: 0o600, text: 'A\nb\nC\n' })
})

it.each<[string, Version, Version, Version]>([
  ['two modes', version('a'), version('a', { mode: 0o600 }), version('a', { mode: 0o755 })],
  ['changed here, gone there', version('a'), version('b'), version(null)],
  ['made twice', version(null), version('a'), version('b')],
  ['a file here, a link there', version('a'), version('b'), version('c', { kind: 'link' })],
  [
    'two targets of a link',
    version('a', { kind: 'link' }),
    version('b', { kind: 'link' }),
    version('c', { kind: 'link' }),
  ],
])('%s: a conflict', (_, base, ours, theirs) => {
  expect(mergeVersions({ base, ours, theirs })).toEqual({ kind: 'conflict', hunks: 1 })
})

it('content that is not kept is a conflict', () => {
  const gone: Version = { ...version('a\nb\nc\n'), bytes: () => null }
  expect(textIn(mergeVersions({ base: gone, ours: version('A\nb\nc\n'), theirs: version('a\nb\nC\n') }))).toBe(
    'conflict',
  )
})
