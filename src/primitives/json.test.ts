import { expect, it } from 'vitest'
import { parseJson } from './json.ts'

it.each([
  ['{"a":[1]}', { a: [1] }],
  ['"text"', 'text'],
  ['null', null],
  ['', null],
  ['{"a":', null],
])('%s parses as %o', (text, value) => {
  expect(parseJson(text)).toEqual(value)
})
