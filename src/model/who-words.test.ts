import { expect, it } from 'vitest'
import { faceName, nameOf, TOKEN_HOLDER } from './who-words.ts'

it.each([
  [TOKEN_HOLDER, 'You'],
  ['library', 'library'],
  ['Ada', 'Ada'],
])('%s is shown as %s', (name, shown) => {
  expect(nameOf({ name })).toBe(shown)
})

it('every face has a name for "via"', () => {
  expect(['web', 'cli', 'api'].map((face) => faceName(face as 'web'))).toEqual(['the page', 'terminal', 'API'])
})
