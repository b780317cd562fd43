import fc from 'fast-check'
import { expect, it } from 'vitest'
import { clip } from './clip.ts'
import { CLIP_BYTES } from './items.ts'

it('what is short stays as it is', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      expect(clip(value)).toEqual({ value, clippedBytes: 0 })
    }),
  )
})

it('a long text loses its middle and says how much', () => {
  const text = `${'a'.repeat(CLIP_BYTES)}${'b'.repeat(1_000)}`
  const { value, clippedBytes } = clip({ text })
  const { text: cut } = value as { text: string }
  expect(clippedBytes).toBe(1_000)
  expect(cut.startsWith('a'.repeat(CLIP_BYTES / 2))).toBe(true)
  expect(cut.endsWith('b'.repeat(1_000))).toBe(true)
  expect(cut).toContain('[... 1000 characters left out here; the log keeps them ...]')
  expect(clip('x'.repeat(CLIP_BYTES))).toEqual({ value: 'x'.repeat(CLIP_BYTES), clippedBytes: 0 })
})

it('no character is cut in two', () => {
  for (const shift of ['', 'a']) {
    const { value } = clip(shift + '😀'.repeat(CLIP_BYTES))
    expect((value as string).isWellFormed()).toBe(true)
  }
})

it('many texts together are bounded too, and so are lists', () => {
  const lines = clip(Array.from({ length: 1_000 }, () => 'x'.repeat(10_000)))
  expect(JSON.stringify(lines.value).length).toBeLessThan(CLIP_BYTES * 16)
  expect(lines.clippedBytes).toBeGreaterThan(8_000_000)
  const numbers = clip(Array.from({ length: 1_000_000 }, () => 1))
  expect((numbers.value as unknown[]).length).toBe(2_001)
  expect((numbers.value as unknown[]).at(-1)).toBe('[... 998000 entries left out here ...]')
  const keys = clip(Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`key${n}`, n])))
  expect(Object.keys(keys.value as object)).toHaveLength(2_000)
})

it('what is nested without end is cut off', () => {
  let deep: unknown = 'bottom'
  for (let level = 0; level < 10_000; level += 1) deep = { deep }
  expect(JSON.stringify(clip(deep).value)).toContain('[nested too deeply to show]')
})
