import { expect, it } from 'vitest'
import { createSignal } from './wake-signal.ts'

const isDone = async (wait: Promise<void>) =>
  await Promise.race([wait.then(() => true), new Promise((resolve) => setTimeout(() => resolve(false), 20))])

it.each([
  ['no wake', [], null, false],
  ['a time limit', [], 1, true],
  ['a wake during the wait', ['wait', 'wake'], null, true],
  ['a wake before the wait', ['wake'], null, true],
  ['a wake before the reset', ['wake', 'reset'], null, false],
] as const)('%s: the wait ends or goes on', async (_name, steps, ms, ends) => {
  const signal = createSignal()
  let wait: Promise<void> | null = null
  for (const step of steps) {
    if (step === 'wait') wait = signal.wait(ms)
    else signal[step]()
  }
  expect(await isDone(wait ?? signal.wait(ms))).toBe(ends)
})
