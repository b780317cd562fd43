import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { CarrelError } from '../model/errors.ts'
import type { Lease } from '../store/lease.ts'
import type { Store } from '../store/store.ts'
import { Leases } from './leases.ts'

const TTL_MS = 9_000
beforeEach(() => void vi.useFakeTimers({ now: 0 }))
afterEach(() => void vi.useRealTimers())

const lease = (token: number, expiresAt = TTL_MS): Lease => ({ key: 'k', holder: 'h', token, expiresAt })

function open(renewAll: (known: readonly Lease[]) => Promise<Lease[]>) {
  const released: Lease[] = []
  const leases = {
    acquire: async () => lease(1),
    renewAll,
    release: async (one: Lease) => void released.push(one),
  }
  return { leases: new Leases({ leases } as unknown as Store, 'h', TTL_MS, Date.now), released }
}

const silent = async () => {
  throw new CarrelError('unavailable', 'The store does not answer.')
}

it.each<[string, (known: readonly Lease[]) => Promise<Lease[]>, number, string | null]>([
  ['is renewed', async () => [lease(1, TTL_MS + 3_000)], 3_000, null],
  ['is gone', async () => [], 3_000, 'lease_lost'],
  ['has another token', async () => [lease(2)], 3_000, 'lease_lost'],
  ['is not answered, far from its end', silent, 3_000, null],
  ['is not answered, near its end', silent, 9_000, 'unavailable'],
])('S2: a lease that %s', async (_, renewAll, ms, code) => {
  const { leases } = open(renewAll)
  const held = await leases.acquire('k')
  await vi.advanceTimersByTimeAsync(ms)
  expect(held?.lost.aborted).toBe(code !== null)
  if (code !== null) expect(held?.lost.reason).toMatchObject({ code })
  expect(leases.held).toBe(code === null ? 1 : 0)
  await leases.close()
})

it('a key is claimed once, and again after its release; only an acquired lease is released in the store', async () => {
  const { leases, released } = open(async (known) => [...known])
  const claim = leases.claim('k')
  expect([leases.claim('k'), claim?.taken, leases.held]).toEqual([null, false, 0])
  await claim?.release()
  expect(released).toEqual([])
  const again = leases.claim('k')
  expect([await again?.take(), again?.taken, leases.held]).toEqual([true, true, 1])
  expect(leases.claim('k')).toBeNull()
  await leases.close()
  expect([released, leases.held]).toEqual([[lease(1)], 0])
})

it('S3: a write that finds the lease lost marks it, and later writes fail at once', async () => {
  const { leases } = open(async (known) => [...known])
  const held = await leases.acquire('k')
  const write = vi.fn(async () => {
    throw new CarrelError('lease_lost', 'Another node has it.')
  })
  await expect(held?.guard(write)).rejects.toMatchObject({ code: 'lease_lost' })
  await expect(held?.guard(write)).rejects.toMatchObject({ code: 'lease_lost' })
  expect([write.mock.calls.length, held?.lost.aborted, leases.held]).toEqual([1, true, 0])
  await leases.close()
})
