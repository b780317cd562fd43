import { expect, it } from 'vitest'
import { GO_ON, recordText, repeatsPrompt } from './own-words.ts'

const RECORD = recordText('This is the record of the conversation so far.', 'Person: hi\nAgent: ho')

it.each([
  ['the prompt', 'fix the bug', true],
  ['a piece of it', 'fix the', true],
  ['white space', ' \n', true],
  ['two blocks in one piece', 'fix the bug\nin main.ts', true],
  ['the transcript before it', `${RECORD}fix the bug`, true],
  ['the transcript alone', RECORD, true],
  ['text sent to the running agent', 'and the test', true],
  ['the words after an answer', GO_ON, true],
  ['something else', 'the build ended', false],
  ['something else behind the prompt', 'fix the bug now', false],
])('a repeated prompt is recognised: %s', (_, said, repeats) => {
  expect(repeatsPrompt(said, ['fix the bug', 'in  main.ts', 'and the test'])).toBe(repeats)
})
