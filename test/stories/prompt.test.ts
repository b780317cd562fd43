import { expect, it } from 'vitest'
import { textOf } from '../support/carrel-session.ts'
import { openWorld } from '../support/carrel-world.ts'

it('a prompt streams text into items and ends completed', async () => {
  const world = await openWorld()
  const session = await world.session()
  const ended = await session.run([{ say: 'one two three', chunks: 3 }])
  expect(ended).toMatchObject({ outcome: 'completed', stopReason: 'end_turn', error: null })
  expect(textOf(await session.items())).toBe('one two three')
})
