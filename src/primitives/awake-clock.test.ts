import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createAwakeClock } from './awake-clock.ts'

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }))
afterEach(() => void vi.useRealTimers())

/** Moves the clock without the timers, as a sleep of the machine does. */
const sleep = (ms: number) => void vi.setSystemTime(Date.now() + ms)

it('S6: time asleep is told from time awake, also by a reader that wakes first', () => {
  const clock = createAwakeClock(Date.now)
  vi.advanceTimersByTime(5_000)
  expect([clock.elapsed(), clock.wokeAt()]).toEqual([5_000, 1_000_000])
  sleep(3_600_000)
  expect([clock.elapsed(), clock.wokeAt()]).toEqual([5_000, 1_000_000 + 3_605_000])
  vi.advanceTimersByTime(2_000)
  expect(clock.elapsed()).toBe(7_000)
  expect(clock.sleptSince(1_000_000)).toBe(3_600_000)
  // Only the part of a sleep after the time counts.
  expect(clock.sleptSince(1_005_000 + 3_000_000)).toBe(600_000)
  expect(clock.sleptSince(Date.now())).toBe(0)
  clock.stop()
})

it('S6: short gaps are time awake, and a clock that is set back takes no time away', () => {
  const clock = createAwakeClock(Date.now)
  sleep(2_000)
  expect(clock.elapsed()).toBe(2_000)
  sleep(-86_400_000)
  expect(clock.elapsed()).toBe(2_000)
  vi.advanceTimersByTime(1_000)
  expect([clock.elapsed(), clock.sleptSince(0)]).toEqual([3_000, 0])
  clock.stop()
  expect(vi.getTimerCount()).toBe(0)
})
