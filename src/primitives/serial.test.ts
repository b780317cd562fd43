import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { createSerial, createSerialByKey } from './serial.ts'

interface Case {
  readonly title: string
  /** Job -> ms it takes; `!` at the end of a name makes it fail. */
  readonly jobs: readonly (readonly [name: string, ms: number])[]
  readonly ends: readonly string[]
}

it.each<Case>([
  { title: 'no job', jobs: [], ends: [] },
  {
    title: 'a slow job before a fast one',
    jobs: [
      ['a', 5],
      ['b', 0],
    ],
    ends: ['a', 'b'],
  },
  {
    title: 'a failed job between others',
    jobs: [
      ['a', 2],
      ['b!', 2],
      ['c', 0],
    ],
    ends: ['a', 'b!', 'c'],
  },
])('jobs end in the order of their calls: $title', async ({ jobs, ends }) => {
  const serial = createSerial()
  const trace: string[] = []
  const results = jobs.map(([name, ms]) =>
    serial.run(async () => {
      trace.push(`${name} begins`)
      await pause(ms)
      trace.push(`${name} ends`)
      if (name.endsWith('!')) throw new Error(name)
      return name
    }),
  )
  const settled = await Promise.allSettled(results)
  expect(settled.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.message))).toEqual(ends)
  expect(trace).toEqual(ends.flatMap((name) => [`${name} begins`, `${name} ends`]))
})

it('a job that throws at once fails its own caller only', async () => {
  const serial = createSerial()
  const failed = serial.run(() => {
    throw new Error('at once')
  })
  await expect(failed).rejects.toThrow('at once')
  expect(await serial.run(() => 7)).toBe(7)
})

it('idle waits for the jobs in the queue and does not fail with them', async () => {
  const serial = createSerial()
  await serial.idle()
  let done = false
  const failed = serial.run(async () => {
    await pause(2)
    done = true
    throw new Error('dropped by idle')
  })
  failed.catch(() => undefined)
  await serial.idle()
  expect(done).toBe(true)
})

it('jobs of one key wait for each other, jobs of other keys do not', async () => {
  const queues = createSerialByKey<string>()
  const trace: string[] = []
  const job = (key: string, name: string, ms: number) =>
    queues.run(key, async () => {
      await pause(ms)
      trace.push(name)
    })
  const failed = queues.run('a', () => Promise.reject(new Error('first of a')))
  failed.catch(() => undefined)
  void job('a', 'a2', 20)
  void job('a', 'a3', 0)
  void job('b', 'b1', 0)
  await queues.idle()
  expect(trace).toEqual(['b1', 'a2', 'a3'])
  await job('a', 'a4', 0)
  expect(trace.at(-1)).toBe('a4')
})
