import { expect, it } from 'vitest'
import { createSlots } from './slots.ts'

const messages = { cancelled: 'cancelled', tooLong: 'too long' }
const never = new AbortController().signal
const slotsOf = (waitMs = 60_000) => createSlots<string>({ most: 2, waitMs, now: () => 7, messages })

it('grants no more slots than there are, in FIFO order, and lists the waiting callers', async () => {
  const slots = slotsOf()
  const order: string[] = []
  const befores: number[] = []
  const begin = (who: string, signal = never) =>
    slots.wait(who, signal, (n) => befores.push(n)).then(() => order.push(who))
  const off = new AbortController()
  const all = [
    begin('a'),
    begin('b'),
    begin('c'),
    begin('gone', off.signal).catch(({ message }) => message),
    begin('d'),
  ]
  await Promise.all(all.slice(0, 2))
  expect([slots.taken, slots.waiting.map(({ who, since }) => [who, since])]).toEqual([
    2,
    [
      ['c', 7],
      ['gone', 7],
      ['d', 7],
    ],
  ])
  off.abort()
  expect(await all[3]).toBe('cancelled')
  slots.giveBack()
  slots.giveBack()
  await Promise.all(all)
  expect(order).toEqual(['a', 'b', 'c', 'd'])
  expect(befores).toEqual([0, 1, 2])
  expect(slots.taken).toBe(2)
})

it('a caller that waits too long gets an error and no slot', async () => {
  const slots = slotsOf(1)
  // More than the limit: uses that survived an earlier server.
  for (const _ of [1, 2, 3]) slots.take()
  await expect(slots.wait('a', never, () => undefined)).rejects.toThrow('too long')
  slots.giveBack()
  expect([slots.taken, slots.waiting]).toEqual([2, []])
})
