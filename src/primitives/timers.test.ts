import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { awakeSignal, awakeTimeout, createTimer, resolvesWithin } from './timers.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A call at its time (ms): start or restart with its delay, or stop. */
type Call = readonly [at: number, call: 'start' | 'restart' | 'stop', ms?: number]

it.each<{ title: string; calls: Call[]; fired: number[] }>([
  { title: 'fires once', calls: [[0, 'start', 10]], fired: [10] },
  {
    title: 'a start while it runs does nothing',
    calls: [
      [0, 'start', 10],
      [5, 'start', 10],
    ],
    fired: [10],
  },
  {
    title: 'a restart begins anew',
    calls: [
      [0, 'start', 10],
      [5, 'restart', 10],
    ],
    fired: [15],
  },
  {
    title: 'a stop drops the call',
    calls: [
      [0, 'start', 10],
      [5, 'stop'],
    ],
    fired: [],
  },
  {
    title: 'it starts again after it fired',
    calls: [
      [0, 'start', 10],
      [20, 'start', 10],
    ],
    fired: [10, 30],
  },
  {
    title: 'it starts again after a stop',
    calls: [
      [0, 'start', 10],
      [5, 'stop'],
      [6, 'start', 10],
    ],
    fired: [16],
  },
])('$title', ({ calls, fired }) => {
  const timer = createTimer()
  const begin = Date.now()
  const seen: number[] = []
  for (const [at, call, ms = 0] of calls) {
    vi.advanceTimersByTime(begin + at - Date.now())
    if (call === 'stop') timer.stop()
    else timer[call](ms, () => seen.push(Date.now() - begin))
  }
  vi.advanceTimersByTime(1_000)
  expect(seen).toEqual(fired)
})

it.each([
  ['in time', 5, true],
  ['late', 20, false],
])('a promise that resolves %s', async (_, ms, inTime) => {
  const promise = new Promise((resolve) => setTimeout(resolve, ms))
  const answer = resolvesWithin(promise, 10)
  await vi.advanceTimersByTimeAsync(30)
  expect(await answer).toBe(inTime)
  expect(vi.getTimerCount()).toBe(0)
})

it('a promise that rejects in time rejects the wait and leaves no timer', async () => {
  await expect(resolvesWithin(Promise.reject(new Error('failed')), 10)).rejects.toThrow('failed')
  expect(vi.getTimerCount()).toBe(0)
})

it('S6: time asleep does not count: a timer that wakes late still runs for its last piece', () => {
  let slept = 0
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => Date.now() + slept)
  const begin = Date.now()
  const fired: number[] = []
  awakeTimeout(2_500, () => fired.push(Date.now() - begin))
  const late = awakeSignal(2_500)
  vi.advanceTimersByTime(1_500)
  slept = 3_600_000
  vi.advanceTimersByTime(1_500)
  expect([fired, late.aborted]).toEqual([[], false])
  vi.advanceTimersByTime(1_000)
  expect([fired, late.aborted]).toEqual([[3_500], true])
  clock.mockRestore()
})

it('a timeout that is stopped does not fire, in any of its pieces', () => {
  const fired: string[] = []
  const stop = awakeTimeout(5_000, () => fired.push('late'))
  vi.advanceTimersByTime(3_200)
  stop()
  vi.advanceTimersByTime(10_000)
  expect([fired, vi.getTimerCount()]).toEqual([[], 0])
})
