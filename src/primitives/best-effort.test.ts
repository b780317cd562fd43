import { expect, it } from 'vitest'
import { bestEffort } from './best-effort.ts'

it.each([
  ['a result', () => Promise.resolve(7)],
  ['a failure', () => Promise.reject(new Error('dropped'))],
])('%s is dropped', async (_, work) => {
  expect(await bestEffort(work())).toBeUndefined()
})
