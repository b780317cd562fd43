import { expect, it } from 'vitest'
import { createSemaphore } from './semaphore.ts'

/** One act on a semaphore with two permits: `+x` acquires for x, `-` releases, `!x` aborts the wait of x. */
type Act = string

interface Case {
  readonly title: string
  readonly acts: readonly Act[]
  readonly got: readonly string[]
  readonly waiting: readonly string[]
  readonly taken: number
  readonly befores?: readonly number[]
}

it.each<Case>([
  { title: 'nobody', acts: [], got: [], waiting: [], taken: 0 },
  { title: 'two permits for two', acts: ['+a', '+b'], got: ['a', 'b'], waiting: [], taken: 2 },
  {
    title: 'the third waits, the fourth behind it',
    acts: ['+a', '+b', '+c', '+d'],
    got: ['a', 'b'],
    waiting: ['c', 'd'],
    taken: 2,
    befores: [0, 1],
  },
  {
    title: 'first come, first served',
    acts: ['+a', '+b', '+c', '+d', '-'],
    got: ['a', 'b', 'c'],
    waiting: ['d'],
    taken: 2,
  },
  {
    title: 'an aborted wait takes no permit',
    acts: ['+a', '+b', '+c', '+d', '!c', '-'],
    got: ['a', 'b', 'd'],
    waiting: [],
    taken: 2,
  },
  {
    title: 'an abort after the permit does nothing',
    acts: ['+a', '+b', '+c', '-', '!c'],
    got: ['a', 'b', 'c'],
    waiting: [],
    taken: 2,
  },
  {
    title: 'permits taken over the limit block until they are back',
    acts: ['take', 'take', 'take', '+a', '-'],
    got: [],
    waiting: ['a'],
    taken: 2,
  },
  {
    title: 'and then let the next begin',
    acts: ['take', 'take', 'take', '+a', '-', '-'],
    got: ['a'],
    waiting: [],
    taken: 2,
  },
])('$title', async ({ acts, got, waiting, taken, befores }) => {
  const semaphore = createSemaphore<string>(2)
  const entered: string[] = []
  const seen: number[] = []
  const offs = new Map<string, AbortController>()
  for (const act of acts) {
    const tag = act.slice(1)
    if (act === 'take') semaphore.take()
    else if (act === '-') semaphore.release()
    else if (act.startsWith('!')) offs.get(tag)?.abort(new Error('off'))
    else {
      const off = new AbortController()
      offs.set(tag, off)
      semaphore
        .acquire({ tag, signal: off.signal, onWait: (before) => seen.push(before) })
        .then(() => entered.push(tag))
        .catch(() => undefined)
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect([entered, semaphore.waiting, semaphore.taken]).toEqual([got, waiting, taken])
  if (befores) expect(seen).toEqual(befores)
})

it('an aborted wait rejects with the reason of its signal', async () => {
  const semaphore = createSemaphore(1)
  semaphore.take()
  const off = new AbortController()
  const wait = semaphore.acquire({ tag: undefined, signal: off.signal })
  off.abort(new Error('the reason'))
  await expect(wait).rejects.toThrow('the reason')
  await expect(semaphore.acquire({ tag: undefined, signal: off.signal })).rejects.toThrow('the reason')
  expect(semaphore.waiting).toEqual([])
})
