import pico from 'picocolors'
import { expect, it } from 'vitest'
import type { MessageItem } from '../../model/events/items.ts'
import { Transcript } from './transcript.ts'

const message = (text: string, more: Partial<MessageItem> = {}) =>
  ({ kind: 'message', role: 'agent', n: 1, run: 'run_a', at: 0, text, ...more }) as MessageItem

function transcript() {
  const said: string[] = []
  const say = (text: string) => void said.push(text)
  return { said, shown: new Transcript({ say, aside: say, color: pico.createColors(false), whole: false }) }
}

it('L9: a character that two chunks cut in half is written whole', () => {
  const { said, shown } = transcript()
  for (const text of ['a', 'a\ud83d', 'a\ud83d\ude00', 'a\ud83d\ude00b']) shown.show(message(text))
  shown.finish()
  expect(said).toEqual(['a', '\ud83d\ude00', 'b', '\n'])
})

it('a message that ends with half a character is written without it', () => {
  const { said, shown } = transcript()
  shown.show(message('a\ud83d'))
  shown.finish()
  expect(said).toEqual(['a', '\n'])
})
