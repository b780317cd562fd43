import { expect, it, vi } from 'vitest'
import type { Submitted } from '../../store/store.ts'
import type { ArrivingPrompt } from '../arriving-prompt.ts'
import { createPromptDoor } from './warm-start.ts'

const PROMPT = { workspace: 'w', session: 's', prompt: {} } as never
const DONE: Submitted = { seq: 1, at: 1, earlier: null, began: null, machine: null }
const BEGINS = { after: 0, right: { key: 'k', holder: 'h', ttlMs: 1 }, outcomes: [] }

it('a prompt is written once: by the listener, else at once, and after a moment when the listener does nothing', async () => {
  const door = createPromptDoor()
  const write = vi.fn(async () => DONE)
  await door.submit(PROMPT, write)
  expect(write.mock.calls).toEqual([[null]])
  door.onPrompt(() => false)
  await door.submit(PROMPT, write)
  expect(write.mock.calls).toEqual([[null], [null]])
  const arrived: ArrivingPrompt[] = []
  const stop = door.onPrompt((arriving) => arrived.push(arriving) > 0)
  const both = door.submit(PROMPT, write)
  expect(await arrived[0]?.submit(BEGINS)).toBe(await arrived[0]?.submit(null))
  expect(await both).toBe(DONE)
  expect(write.mock.calls.slice(2)).toEqual([[BEGINS]])
  // The listener does nothing: the prompt is written all the same, and a late call has the same result.
  await door.submit(PROMPT, write)
  expect(await arrived[1]?.submit(BEGINS)).toBe(DONE)
  expect(write.mock.calls.slice(3)).toEqual([[null]])
  stop()
  await door.submit(PROMPT, write)
  expect(write.mock.calls.slice(4)).toEqual([[null]])
})

it('the sender of a prompt gets the error of the store; the listener gets null', async () => {
  const door = createPromptDoor()
  const arrived: ArrivingPrompt[] = []
  door.onPrompt((arriving) => arrived.push(arriving) > 0)
  const refused = door.submit(PROMPT, async () => {
    throw new Error('closed')
  })
  expect(await arrived[0]?.submit(BEGINS)).toBeNull()
  await expect(refused).rejects.toThrow('closed')
})
