import { expect, it } from 'vitest'
import { nameOf } from './session-name.ts'

const named = (text: string) => nameOf([{ type: 'text', text }])
const script = (...steps: unknown[]) => `@@do ${JSON.stringify(steps)} @@end`

it('a session is named by the text of its first prompt, cut between two words', () => {
  expect(named('  Water\nthe beans ')).toBe('Water the beans')
  expect(named(`Water the beans ${script({ say: 'Done.' })}`)).toBe('Water the beans')
  expect(named('word '.repeat(20))).toBe(`${'word '.repeat(12).trim()}…`)
  expect(nameOf([])).toBeNull()
})

it('a session without text is named by the first step of its script', () => {
  expect(named(script({ say: 'Good morning.' }, { write: 'a.txt', content: '' }))).toBe('Good morning.')
  expect(named(script({ write: 'plan.txt', content: 'peas' }))).toBe('write plan.txt')
  expect(named(script({ run: 'npm test' }))).toBe('run npm test')
  expect(named(script({ ask: { title: 'Go on?', options: ['yes'] } }))).toBe('Go on?')
  expect(named(script({ hang: true }))).toBe('hang')
  expect(named(script())).toBeNull()
  expect(named(script(null))).toBeNull()
  expect(named('@@do [ @@end')).toBeNull()
})
