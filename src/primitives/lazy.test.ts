import { expect, it } from 'vitest'
import { createLazy } from './lazy.ts'

/** The outcome of an attempt. */
type Attempt = number | 'fails'

it.each<{ title: string; attempts: Attempt[]; calls: number; got: (number | string)[]; made: number }>([
  { title: 'made once for all callers', attempts: [1, 2], calls: 3, got: [1, 1, 1], made: 1 },
  { title: 'a failure is not kept', attempts: ['fails', 2], calls: 3, got: ['failed', 2, 2], made: 2 },
  {
    title: 'each call tries again until one succeeds',
    attempts: ['fails', 'fails', 3],
    calls: 3,
    got: ['failed', 'failed', 3],
    made: 3,
  },
])('$title', async ({ attempts, calls, got, made }) => {
  let count = 0
  const lazy = createLazy(async () => {
    const attempt = attempts[count++]
    if (attempt === 'fails') throw new Error('failed')
    return attempt
  })
  expect(lazy.current).toBeNull()
  const results: unknown[] = []
  for (let call = 0; call < calls; call += 1) results.push(await lazy.get().catch(({ message }) => message))
  expect([results, count]).toEqual([got, made])
})

it('callers of one attempt share its error', async () => {
  let count = 0
  const lazy = createLazy(async () => {
    count += 1
    throw new Error('failed')
  })
  const settled = await Promise.allSettled([lazy.get(), lazy.get()])
  expect([settled.map(({ status }) => status), count, lazy.current]).toEqual([['rejected', 'rejected'], 1, null])
})

it('a forgotten value is made again, and a late failure of the old attempt leaves the new one', async () => {
  const first = Promise.withResolvers<number>()
  const attempts = [first.promise, Promise.resolve(2)]
  const lazy = createLazy(() => attempts.shift() ?? Promise.resolve(3))
  const failed = lazy.get()
  lazy.forget()
  expect(await lazy.get()).toBe(2)
  first.reject(new Error('late'))
  await expect(failed).rejects.toThrow('late')
  expect(await lazy.get()).toBe(2)
})
