import { expect, it } from 'vitest'
import { errorCode } from './error-code.ts'
import { messageOf } from './message-of.ts'

it.each([
  [new Error('plain'), 'plain', ''],
  [new TypeError('of a subclass'), 'of a subclass', ''],
  [Object.assign(new Error('denied'), { code: 'EACCES' }), 'denied', 'EACCES'],
  [Object.assign(new Error('number'), { code: 7 }), 'number', ''],
  ['text', 'text', ''],
  [undefined, 'undefined', ''],
  [null, 'null', ''],
  [42, '42', ''],
])('%o has a message and a code', (thrown, message, code) => {
  expect([messageOf(thrown), errorCode(thrown)]).toEqual([message, code])
})
