import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compareVersions } from '../../model/files/hunks.ts'
import { linesOf, type Version } from '../../model/files/merge.ts'
import { createMask } from '../../model/secrets/mask.ts'
import { maskedBytes, maskedDiff } from './masked-files.ts'

const KEY = 'first-line-of-canary\nsecond-line-of-canary\nthird-line-of-canary'
const mask = createMask([
  { name: 'TOKEN', value: 'token-canary' },
  { name: 'KEY', value: KEY },
  { name: 'UMLAUT', value: 'gänse-canary' },
])
const version = (text: string): Version => {
  const bytes = Buffer.from(text)
  return { state: { kind: 'file', digest: null, mode: 0o644, size: bytes.length }, bytes: () => bytes }
}
const shown = (before: string, after: string) => maskedDiff(compareVersions('a', version(before), version(after)), mask)

it('B3: a value in a diff is hidden on both sides, and a line that changed in it alone is still changed', () => {
  const diff = shown('a\nT=token-canary\nb\n', 'a\nT=token-canary2\nb\n')
  expect(diff.hunks[0]?.lines).toEqual([' a', '-T=[secret TOKEN]', '+T=[secret TOKEN]2', ' b'])
  expect(diff.texts).toEqual({ before: 'a\nT=[secret TOKEN]\nb\n', after: 'a\nT=[secret TOKEN]2\nb\n' })
})

it('B3: a value with lines outside of the hunk is hidden in it, and one that is cut short too', () => {
  const tail = 'x\n'.repeat(9)
  expect(JSON.stringify(shown(`${KEY}\n${tail}`, `${KEY} more\n${tail}`))).not.toContain('canary')
  expect(JSON.stringify(shown(`${KEY}\n`, 'second-line-of-canary\n'))).not.toContain('canary')
})

it('B3: whatever stands around them, hunks keep their lines and show no value', () => {
  const line = fc.oneof(
    fc.constantFrom('a', 'b', '', 'token-canary', 'xtoken-canaryx', ...KEY.split('\n'), KEY),
    fc.string(),
  )
  const text = fc.array(line, { maxLength: 12 }).map((lines) => lines.join('\n'))
  fc.assert(
    fc.property(text, text, (before, after) => {
      const bare = compareVersions('a', version(before), version(after))
      const diff = maskedDiff(bare, mask)
      expect(JSON.stringify(diff)).not.toContain('token-canary')
      expect(diff.hunks.map(({ lines }) => lines.map((each) => each[0]))).toEqual(
        bare.hunks.map(({ lines }) => lines.map((each) => each[0])),
      )
      for (const side of ['before', 'after'] as const)
        expect(linesOf(diff.texts?.[side] ?? '').length).toBe(linesOf(bare.texts?.[side] ?? '').length)
    }),
  )
})

it('B3: a value among other bytes is hidden, and these stay as they are', () => {
  const around = Buffer.from([0, 255, 254, 10])
  const bytes = maskedBytes(Buffer.concat([around, Buffer.from('token-canary'), around]), mask)
  expect(Buffer.from(bytes)).toEqual(Buffer.concat([around, Buffer.from('[secret TOKEN]'), around]))
  expect(Buffer.from(maskedBytes(Buffer.from('it is gänse-canary\0'), mask)).toString()).toBe('it is [secret UMLAUT]\0')
  expect(maskedBytes(around, mask)).toBe(around)
})

it('B3: bytes beyond ASCII hide as a whole, also around another value, and the bytes beside them stay', () => {
  const both = createMask([
    { name: 'URL', value: 'db://müller:pass-canary@host' },
    { name: 'PASS', value: 'pass-canary' },
    { name: 'LINES', value: 'gänse\nlong-line-of-canary\nkürze' },
  ])
  const hide = (bytes: Buffer) => Buffer.from(maskedBytes(bytes, both))
  expect(hide(Buffer.from('u=db://müller:pass-canary@host\n')).toString()).toBe('u=[secret URL]\n')
  expect(hide(Buffer.from('gänse\nlong-line-of-canary\nkürze\n')).toString()).toBe(
    '[secret LINES]\n[secret LINES]\n[secret LINES]\n',
  )
  expect(hide(Buffer.from('gänse\nlong-line-of-canary\nkürze\n', 'latin1')).toString('latin1')).not.toMatch(
    /nse|canary|rze/,
  )
  const around = Buffer.from([0, 255, 254, 195])
  expect(hide(Buffer.concat([around, Buffer.from('db://müller:pass-canary@host'), around]))).toEqual(
    Buffer.concat([around, Buffer.from('[secret URL]'), around]),
  )
})
