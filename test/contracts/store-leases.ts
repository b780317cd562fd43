import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Lease } from '../../src/store/lease.ts'
import { property } from '../support/property.ts'
import type { CurrentStore } from './store.ts'
import { ask, ended, makeRunning, makeWorld, newSession, said } from './store-world.ts'

const freshKey = () => `test:${newSession()}`

export function itLeases(current: CurrentStore): void {
  describe('leases', () => {
    it('S1: of many concurrent takers of a lease one gets it', async () => {
      const { leases } = current()
      for (let round = 0; round < 5; round += 1) {
        const key = freshKey()
        const names = Array.from({ length: 16 }, (_, index) => `node-${index}`)
        const won = (await Promise.all(names.map((name) => leases.acquire(key, name, 100, 0)))).filter(
          (lease) => lease !== null,
        )
        expect(won).toHaveLength(1)
        expect(await leases.holderOf(key)).toEqual(won[0])
      }
    })

    property('S1: tokens only grow: over takeovers, releases and the same holder again', 20, async (numRuns) => {
      const { leases } = current()
      const step = fc.record({ holder: fc.constantFrom('a', 'b', 'c'), after: fc.nat(200), give: fc.boolean() })
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
          const key = freshKey()
          let now = 0
          let last: Lease | null = null
          let held: Lease | null = null
          for (const { holder, after, give } of steps) {
            now += after
            const lease: Lease | null = await leases.acquire(key, holder, 100, now)
            const free: boolean = held === null || held.expiresAt <= now || held.holder === holder
            expect(lease !== null).toBe(free)
            if (!lease) continue
            expect(lease).toEqual({ key, holder, token: lease.token, expiresAt: now + 100 })
            expect(lease.token).toBeGreaterThan(last?.token ?? 0)
            last = lease
            held = give ? null : lease
            if (give) await leases.release(lease)
            expect(await leases.holderOf(key)).toEqual(held)
          }
        }),
        { numRuns },
      )
    })

    it('S2: a late renewal holds while nobody has taken the lease, an overtaken one never does', async () => {
      const { leases } = current()
      const key = freshKey()
      const old = await leases.acquire(key, 'a', 100, 0)
      if (!old) throw new Error('the lease was free')
      // Expired by every clock, and not taken by anybody: the token decides.
      const late = await leases.renew(old, 100, 500)
      expect(late).toEqual({ ...old, expiresAt: 600 })
      const young = await leases.acquire(key, 'b', 100, 600)
      expect(young?.token).toBeGreaterThan(old.token)
      // By a slow clock the old holder would have time left.
      await expect(leases.renew(late, 100, 0)).rejects.toMatchObject({ code: 'lease_lost' })
      await leases.release(late)
      expect(await leases.holderOf(key)).toEqual(young)
    })

    it('S2: the same holder in a new life fences off its old one', async () => {
      const { leases } = current()
      const key = freshKey()
      const before = await leases.acquire(key, 'a', 100, 0)
      const after = await leases.acquire(key, 'a', 100, 1)
      if (!before || !after) throw new Error('the lease was free')
      await expect(leases.renew(before, 100, 2)).rejects.toMatchObject({ code: 'lease_lost' })
      expect(await leases.renew(after, 100, 2)).toMatchObject({ token: after.token })
    })

    it('S4: a released lease is free at once, and a second release harms nobody', async () => {
      const { leases } = current()
      const key = freshKey()
      const mine = await leases.acquire(key, 'a', 1_000, 0)
      if (!mine) throw new Error('the lease was free')
      await leases.release(mine)
      expect(await leases.holderOf(key)).toBeNull()
      await expect(leases.renew(mine, 100, 1)).rejects.toMatchObject({ code: 'lease_lost' })
      const theirs = await leases.acquire(key, 'b', 1_000, 1)
      await leases.release(mine)
      expect(await leases.holderOf(key)).toEqual(theirs)
    })

    it("S2: leases of a holder's earlier life are free at once, and that life is fenced off", async () => {
      const { leases } = current()
      const [holder, other] = [freshKey(), freshKey()]
      const keys = [freshKey(), freshKey()]
      const [before] = await Promise.all(keys.map((key) => leases.acquire(key, holder, 1_000, 0)))
      const [foreign] = [await leases.acquire(freshKey(), other, 1_000, 0)]
      if (!before || !foreign) throw new Error('the leases were free')
      await leases.releaseAll(holder)
      expect(await Promise.all(keys.map((key) => leases.holderOf(key)))).toEqual([null, null])
      expect(await leases.holderOf(foreign.key)).toEqual(foreign)
      await expect(leases.renew(before, 100, 1)).rejects.toMatchObject({ code: 'lease_lost' })
      expect((await leases.acquire(before.key, other, 100, 1))?.token).toBeGreaterThan(before.token)
    })

    it('S1: renewing all leases reports the lost ones', async () => {
      const { leases } = current()
      const keys = Array.from({ length: 123 }, freshKey)
      const mine = await Promise.all(keys.map((key) => leases.acquire(key, 'a', 100, 0)))
      const held = mine.filter((lease) => lease !== null)
      expect(held).toHaveLength(123)
      await leases.acquire(keys[7] ?? '', 'b', 100, 200)
      const kept = await leases.renewAll(held, 100, 210)
      expect(kept.map(({ key }) => key).sort()).toEqual(keys.filter((_, index) => index !== 7).sort())
      for (const lease of kept) expect(lease.expiresAt).toBe(310)
      expect(await leases.renewAll([], 100, 210)).toEqual([])
    })

    it('L1, S6: a repeated batch whose answer was lost is found in the log and not written again', async () => {
      const store = current()
      const world = await makeWorld(store)
      const { session, lease, run } = await makeRunning(store, world)
      const after = (await store.log.head(session.id)) as number
      const batch = { outcomes: [said('once'), said('twice'), said('twice')], after }
      const first = await store.log.record(lease, session.id, batch, 20)
      // A request may come between the commit and its repetition.
      await store.log.submit(world.workspace.id, session.id, ask('meanwhile'), { now: 25 })
      const later = await store.log.head(session.id)
      expect(await store.log.record(lease, session.id, batch, 30)).toEqual(first)
      expect(await store.log.head(session.id)).toBe(later)
      // The same text again is another batch, and so is one that was never written.
      const more = { outcomes: [said('twice')], after: later }
      expect(await store.log.record(lease, session.id, more, 40)).toMatchObject({ first: later + 1, last: later + 1 })
      const end = { outcomes: [ended(run)], after: later + 1 }
      const both = await Promise.all([1, 2].map(() => store.log.record(lease, session.id, end, 50)))
      expect(both[0]).toEqual(both[1])
      const claimed = { key: lease.key, holder: lease.holder, ttlMs: 1_000 }
      const taken = await store.log.record(claimed, session.id, end, 60)
      expect(taken).toMatchObject({ first: later + 2, last: later + 2 })
      expect(taken.lease.token).toBeGreaterThan(lease.token)
      await expect(store.log.record(lease, session.id, end, 60)).rejects.toMatchObject({ code: 'lease_lost' })
      expect(await store.log.head(session.id)).toBe(later + 2)
    })
  })
}
