import { expect, it, vi } from 'vitest'
import { onAbort } from './on-abort.ts'

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
