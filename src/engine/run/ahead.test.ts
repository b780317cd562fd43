import { expect, it, vi } from 'vitest'
import type { Submitted } from '../../store/store.ts'
import { type Coming, createAhead } from './ahead.ts'

const PROMPT = { workspace: 'w', session: 's', prompt: {} } as never
const DONE: Submitted = { seq: 1, at: 1, earlier: null, began: null }
const BEGINS = { after: 0, right: { key: 'k', holder: 'h', ttlMs: 1 }, outcomes: [] }

it('a prompt goes to the store once: by who listens, else at once, and after a moment when that one does nothing', async () => {
  const ahead = createAhead()
  const put = vi.fn(async () => DONE)
  await ahead.bring(PROMPT, put)
  expect(put.mock.calls).toEqual([[null]])
  ahead.listen(() => false)
  await ahead.bring(PROMPT, put)
  expect(put.mock.calls).toEqual([[null], [null]])
  const heard: Coming[] = []
  const deaf = ahead.listen((coming) => heard.push(coming) > 0)
  const both = ahead.bring(PROMPT, put)
  expect(await heard[0]?.submit(BEGINS)).toBe(await heard[0]?.submit(null))
  expect(await both).toBe(DONE)
  expect(put.mock.calls.slice(2)).toEqual([[BEGINS]])
  // Who listens does nothing: it is put all the same, and what comes later has the same result.
  await ahead.bring(PROMPT, put)
  expect(await heard[1]?.submit(BEGINS)).toBe(DONE)
  expect(put.mock.calls.slice(3)).toEqual([[null]])
  deaf()
  await ahead.bring(PROMPT, put)
  expect(put.mock.calls.slice(4)).toEqual([[null]])
})

it('what the store refuses is told to whoever prompts; who listens hears that nothing came', async () => {
  const ahead = createAhead()
  const heard: Coming[] = []
  ahead.listen((coming) => heard.push(coming) > 0)
  const refused = ahead.bring(PROMPT, async () => {
    throw new Error('closed')
  })
  expect(await heard[0]?.submit(BEGINS)).toBeNull()
  await expect(refused).rejects.toThrow('closed')
})
