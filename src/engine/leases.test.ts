import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CarrelError } from '../model/errors.ts'
import type { Lease } from '../store/lease.ts'
import type { Store } from '../store/store.ts'
import { Leases } from './leases.ts'

const TTL_MS = 9_000
beforeEach(() => void vi.useFakeTimers({ now: 0 }))
afterEach(() => void vi.useRealTimers())

const lease = (token: number, expiresAt = TTL_MS): Lease => ({ key: 'k', holder: 'h', token, expiresAt })

function open(renewAll: (known: readonly Lease[]) => Promise<Lease[]>, more: object = {}, parts: object = {}) {
  const released: Lease[] = []
  const leases = {
    acquire: async () => lease(1),
    renewAll,
    release: async (one: Lease) => void released.push(one),
    ...more,
  }
  return { leases: new Leases({ leases, ...parts } as unknown as Store, 'h', TTL_MS, Date.now), released }
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

const lost = () => new CarrelError('lease_lost', 'Nothing was written.')

it.each<[string, (known: Lease) => Promise<Lease>, string, number]>([
  ['nobody took since', async () => lease(1, 99_000), 'written', 2],
  ['another node took', async () => Promise.reject(lost()), 'lease_lost', 1],
  ['the store cannot tell about', silent, 'unavailable', 1],
])('S6: a refused write under an expired lease that %s', async (_, renew, outcome, tries) => {
  const { leases } = open(async (known) => [...known], { renew })
  const held = await leases.acquire('k')
  const write = vi.fn(async () => {
    if (held?.current.expiresAt === TTL_MS) throw lost()
    return 'written'
  })
  expect(await held?.guard(write).catch(({ code }) => code)).toBe(outcome)
  expect([write.mock.calls.length, held?.lost.aborted]).toEqual([tries, outcome === 'lease_lost'])
  await leases.close()
})

describe('a write that may be repeated', () => {
  const persisted = async (parts: object, awayMs: number) => {
    const { leases } = open(silent, {}, parts)
    const claim = leases.claim('k')
    await claim?.take()
    const again: boolean[] = []
    const done = claim?.persist(async (repeated) => {
      again.push(repeated)
      return Date.now() < awayMs ? await silent() : 'written'
    })
    const outcome = done?.catch(({ code }) => code)
    await vi.advanceTimersByTimeAsync(60_000)
    await leases.close()
    return { outcome: await outcome, again, lost: claim?.lost.aborted }
  }

  it('S6: waits out an outage that is shorter than the lease', async () => {
    const { outcome, again } = await persisted({}, TTL_MS - 1_800 - 300)
    expect([outcome, again[0], new Set(again.slice(1))]).toEqual(['written', false, new Set([true])])
  })

  it.each([
    ['just after a renewal', 3_001],
    ['just before a renewal', 5_999],
  ])('S6: waits out an outage of the lease less two seconds that begins %s', async (_, begin) => {
    const stored = { now: lease(1) }
    const away = () => Date.now() >= begin && Date.now() < begin + TTL_MS - 2_000
    const renew = async (ttlMs: number) => {
      if (away()) await silent()
      stored.now = lease(1, Date.now() + ttlMs)
      return stored.now
    }
    const { leases } = open(async () => [], {
      acquire: async (_key: string, _holder: string, ttlMs: number) => await renew(ttlMs),
      renewAll: async (_known: Lease[], ttlMs: number) => [await renew(ttlMs)],
    })
    const claim = leases.claim('k')
    await claim?.take()
    await vi.advanceTimersByTimeAsync(begin)
    const written = claim?.persist(async () => (away() ? await silent() : Date.now()))
    await vi.advanceTimersByTimeAsync(20_000)
    expect(await written).toBeGreaterThanOrEqual(begin + TTL_MS - 2_000)
    expect(claim?.lost.aborted).toBe(false)
    await leases.close()
  })

  it('S3: fails, and the lease counts as lost, before another node may take it', async () => {
    const { outcome, again, lost } = await persisted({}, 60_000)
    expect([outcome, lost]).toEqual(['unavailable', true])
    expect(again.length).toBeLessThan(40)
  })

  it('S6: has the time of a whole lease after a sleep', async () => {
    expect(await persisted({ awake: { wokeAt: () => 20_000 } }, 26_000)).toMatchObject({ outcome: 'written' })
  })

  it('S6: waits for as long as need be on a store that nobody else writes to', async () => {
    expect(await persisted({ engine: 'sqlite' }, 50_000)).toMatchObject({ outcome: 'written', lost: false })
  })
})

it('a server that stops does not wait for its store', async () => {
  const { leases } = open(silent, { renew: silent }, { engine: 'sqlite' })
  const held = await leases.acquire('k')
  const outcome = held?.renew().catch(({ code }) => code)
  await vi.advanceTimersByTimeAsync(60_000)
  leases.hurry()
  await vi.advanceTimersByTimeAsync(3_000)
  expect(await outcome).toBe('unavailable')
  await leases.close()
})
