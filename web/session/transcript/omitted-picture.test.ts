import { expect, it } from 'vitest'
import { readPicture } from './omitted-picture.ts'

const image = (data: string, mimeType = 'image/png') => ({ type: 'image', mimeType, data })
const log = [
  { seq: 4, data: { update: { content: [{ type: 'content', content: image('other') }] } } },
  { seq: 5, data: { update: { content: [{ type: 'content', content: image('x'.repeat(9), 'image/jpeg') }] } } },
  { seq: 6, data: { data: { image: image('y'.repeat(9)) } } },
  { seq: 9, data: { data: { image: image('late-late') } } },
]
const page = {
  call: async (_name: string, { after }: { after: number }) => ({
    events: log.filter(({ seq }) => seq > after).slice(0, 2),
  }),
} as never
const at = (n: number, seq: number) => ({ workspace: 'w', session: 's', n, seq })
const wanted = { mimeType: 'image/png', leftOut: 9 }
const { signal } = new AbortController()

it('a picture that was left out is found among the events of its item, by kind and size', async () => {
  expect(await readPicture(page, at(4, 6), wanted, signal)).toBe(`data:image/png;base64,${'y'.repeat(9)}`)
  expect(await readPicture(page, at(5, 5), { ...wanted, mimeType: 'image/jpeg' }, signal)).toContain('xxxxxxxxx')
  expect(await readPicture(page, at(4, 4), { ...wanted, leftOut: 3 }, signal)).toBeNull()
  expect(await readPicture(page, at(10, 12), wanted, signal)).toBeNull()
})
