import { expect, it } from 'vitest'
import { saysSessionUnknown } from './quirks.ts'
import { failureFrom } from './wire.ts'

it.each([
  [-32002, 'Resource not found', { sessionId: 's1' }, true],
  [-32002, 'Resource not found: s1', { uri: 's1' }, true],
  [-32602, 'Unknown session: s1', undefined, true],
  [-32603, 'Internal error', { details: 'Session not found' }, true],
  [-32603, 'The Claude Agent process exited unexpectedly. Please start a new session.', undefined, true],
  [-32603, 'The session has ended.', undefined, true],
  [-32000, 'No active session for s1', undefined, true],
  [-32002, 'Resource not found', { uri: 'file:///a.txt' }, false],
  [-32603, 'The model said no', undefined, false],
  [-32602, 'Unknown mode', undefined, false],
  [undefined, 'Session not found', undefined, false],
])('an error %s "%s" %j says that the session is unknown: %s', (code, message, data, says) => {
  expect(saysSessionUnknown(failureFrom({ code, message, data }))).toBe(says)
})
