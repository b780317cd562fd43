import { expect, it, vi } from 'vitest'
import { onAbort, untilAborted } from './on-abort.ts'

it.each<[string, readonly ('listen' | 'stop' | 'abort')[], number]>([
  ['an abort calls the listener', ['listen', 'abort'], 1],
  ['a second abort does not', ['listen', 'abort', 'abort'], 1],
  ['a stopped listener is not called', ['listen', 'stop', 'abort'], 0],
  ['an earlier abort does not count', ['abort', 'listen'], 0],
])('%s', (_, steps, calls) => {
  const controller = new AbortController()
  const listener = vi.fn()
  let stop = () => {}
  for (const step of steps) {
    if (step === 'listen') stop = onAbort(controller.signal, listener)
    else if (step === 'stop') stop()
    else controller.abort()
  }
  expect(listener).toHaveBeenCalledTimes(calls)
})

it.each<[string, readonly ('wait' | 'resolve' | 'abort')[], unknown]>([
  ['a promise that resolves in time', ['wait', 'resolve', 'abort'], 'value'],
  ['an abort during the wait', ['wait', 'abort', 'resolve'], 'late'],
  ['an abort before the wait', ['resolve', 'abort', 'wait'], 'late'],
])('%s decides', async (_, steps, outcome) => {
  const controller = new AbortController()
  const { promise, resolve } = Promise.withResolvers<string>()
  let answer: Promise<unknown> = Promise.resolve()
  for (const step of steps) {
    if (step === 'wait') answer = untilAborted(promise, controller.signal, () => 'late').catch((thrown) => thrown)
    else if (step === 'resolve') resolve('value')
    else controller.abort()
    await Promise.resolve()
  }
  expect(await answer).toBe(outcome)
})
