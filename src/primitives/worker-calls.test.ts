import { expect, it } from 'vitest'
import { createWorkerCalls, type WorkerCalls } from './worker-calls.ts'

interface Case {
  readonly title: string
  readonly acts: (calls: WorkerCalls) => void
  /** The outcome of three calls with the numbers 1 to 3. */
  readonly outcomes: readonly unknown[]
  readonly holds: readonly boolean[]
}

const late = new Error('late')
const ended = new Error('ended')

it.each<Case>([
  {
    title: 'answers find their calls in any order',
    acts: (calls) => [3, 1, 2].forEach((id) => void calls.resolve(id, `answer ${id}`)),
    outcomes: ['answer 1', 'answer 2', 'answer 3'],
    holds: [true, false],
  },
  {
    title: 'an error rejects its own call only',
    acts: (calls) => {
      calls.reject(2, late)
      calls.resolve(1, 1)
      calls.resolve(3, 3)
    },
    outcomes: [1, late, 3],
    holds: [true, false],
  },
  {
    title: 'the end rejects every open call, and a second end changes nothing',
    acts: (calls) => {
      calls.resolve(1, 1)
      calls.end(ended)
      calls.end(late)
    },
    outcomes: [1, ended, ended],
    holds: [true, false],
  },
  {
    title: 'answers to unknown calls and second answers do nothing',
    acts: (calls) => {
      for (const id of [1, 2, 3, 4, 1]) calls.resolve(id, id)
      calls.reject(1, late)
    },
    outcomes: [1, 2, 3],
    holds: [true, false],
  },
  {
    title: 'calls that are open at a refusal get their answers',
    acts: (calls) => {
      calls.refuse(ended)
      for (const id of [1, 2, 3]) calls.resolve(id, id)
    },
    outcomes: [1, 2, 3],
    holds: [true, false],
  },
])('$title', async ({ acts, outcomes, holds }) => {
  const held: boolean[] = []
  const calls = createWorkerCalls((busy) => held.push(busy))
  const sent: number[] = []
  const answers = [1, 2, 3].map(() => calls.begin((id) => sent.push(id)))
  acts(calls)
  const settled = await Promise.allSettled(answers)
  expect(settled.map((one) => (one.status === 'fulfilled' ? one.value : one.reason))).toEqual(outcomes)
  expect(sent).toEqual([1, 2, 3])
  expect(held).toEqual(holds)
})

it('a message that cannot be sent fails its call and leaves nothing open', async () => {
  const held: boolean[] = []
  const calls = createWorkerCalls((busy) => held.push(busy))
  const failed = calls.begin(() => {
    throw late
  })
  await expect(failed).rejects.toBe(late)
  expect(held).toEqual([true, false])
})

it('a call after the end is rejected and not sent', async () => {
  const calls = createWorkerCalls(() => undefined)
  calls.end(ended)
  const sent: number[] = []
  await expect(calls.begin((id) => sent.push(id))).rejects.toBe(ended)
  expect([sent, calls.ended]).toEqual([[], true])
})
