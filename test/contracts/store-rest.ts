import { describe, expect, it } from 'vitest'
import type { SessionId } from '../../src/model/ids.ts'
import type { Store } from '../../src/store/store.ts'
import type { CurrentStore, OpenStore } from './store.ts'
import { ask, ended, makeRunning, makeWorld, refold, said, take, write } from './store-world.ts'

export function itRests(current: CurrentStore, open: OpenStore): void {
  describe('rest', () => {
    it('L10: an event after the fold keeps the session awake', async () => {
      const store = current()
      const world = await makeWorld(store)
      const { session, lease, run } = await makeRunning(store, world)
      await write(store, lease, session, [ended(run)])
      const { view, items } = await refold(store, session.id)
      const fold = { seq: view.seq, view, items: [...items.values()] }
      const late = await store.log.submit(world.workspace.id, session.id, ask('late'), { now: 30 })
      expect(await store.log.settle(lease, session.id, fold, null, 31)).toBe(false)
      expect(await store.log.fold(session.id)).toBeNull()
      await store.leases.release(lease)
      expect(await dueOf(store, session.id)).toBe(true)
      expect(await store.log.head(session.id)).toBe(late.seq)
    })

    it('L10: after a settle and a submit at once, the session is due in either order', async () => {
      const store = current()
      const world = await makeWorld(store)
      for (let round = 0; round < 15; round += 1) {
        const { session, lease, run } = await makeRunning(store, world)
        await write(store, lease, session, [ended(run)])
        const { view, items } = await refold(store, session.id)
        const fold = { seq: view.seq, view, items: [...items.values()] }
        const settle = () => store.log.settle(lease, session.id, fold, null, 31)
        const submit = () => store.log.submit(world.workspace.id, session.id, ask('late'), { now: 30 })
        await Promise.all(round % 2 ? [settle(), submit()] : [submit(), settle()])
        await store.leases.release(lease)
        expect(await dueOf(store, session.id)).toBe(true)
      }
    })

    it('L10: a settled session rests until a request arrives or its time has come', async () => {
      const store = current()
      const world = await makeWorld(store)
      const session = await world.session()
      const lease = await settleAt(store, session.id, 1_000)
      await store.leases.release(lease)
      expect(await dueOf(store, session.id, 999)).toBe(false)
      expect(await dueOf(store, session.id, 1_000)).toBe(true)
      await store.log.submit(world.workspace.id, session.id, ask(), { now: 500 })
      expect(await dueOf(store, session.id, 501)).toBe(true)
    })

    it('L10: the next holder finds work that an earlier one did not settle, once its lease has expired', async () => {
      const store = current()
      const world = await makeWorld(store)
      const session = await world.session()
      await settleAt(store, session.id, null)
      const lease = await store.leases.acquire(`session:${session.id}`, 'node-1', 100, 1_000)
      if (!lease) throw new Error('the same holder may take it again')
      await write(store, lease, session, [said('and then the power went')], 1_001)
      expect(await dueOf(store, session.id, 1_050)).toBe(false)
      expect(await dueOf(store, session.id, 1_100)).toBe(true)
    })

    it('L3: an overtaken holder settles nothing', async () => {
      const store = current()
      const world = await makeWorld(store)
      const session = await world.session()
      await store.log.submit(world.workspace.id, session.id, ask(), { now: 1 })
      const old = await take(store, session.id)
      await store.leases.release(old)
      await take(store, session.id, 'node-2')
      const { view } = await refold(store, session.id)
      const settling = store.log.settle(old, session.id, { seq: view.seq, view, items: [] }, null, 5)
      await expect(settling).rejects.toMatchObject({ code: 'lease_lost' })
    })

    it('the next wake is the first time at which something may be due', async ({ skip }) => {
      const opened = await open()
      if ('skipped' in opened) return skip(opened.skipped)
      const { store } = opened
      try {
        expect(await store.log.nextWake('', 0)).toBeNull()
        const world = await makeWorld(store)
        const [one, two] = [await world.session(), await world.session()]
        await store.leases.release(await settleAt(store, one.id, 5_000))
        expect(await store.log.nextWake('', 100)).toBe(5_000)
        await store.log.submit(world.workspace.id, two.id, ask(), { now: 100 })
        await store.leases.acquire(`session:${two.id}`, 'node-1', 1_000, 100)
        expect(await store.log.nextWake('', 101)).toBe(1_100)
        expect(await store.log.nextWake('', 1_100)).toBe(5_000)
        expect(await store.log.due('', 1_100, 10)).toEqual([{ session: two.id, workspace: world.workspace.id }])
        // The longest waiting first: one since 5000, two since 100.
        expect((await store.log.due('', 6_000, 10)).map(({ session }) => session)).toEqual([two.id, one.id])
        expect(await store.log.due('', 6_000, 1)).toHaveLength(1)
      } finally {
        await opened.close()
      }
    })

    it('L7: every commit rings for its appended events, after they can be read', async () => {
      const store = current()
      const world = await makeWorld(store)
      const session = await world.session()
      const rings: { head: number; due: boolean; seen: Promise<number> }[] = []
      const workspaces: number[] = []
      const stop = store.onAppend(({ log, head, due }) => {
        if (log === session.id) rings.push({ head, due, seen: store.log.head(session.id) })
        if (log === world.workspace.id) workspaces.push(head)
      })
      await store.log.submit(world.workspace.id, session.id, ask(), { now: 5 })
      const lease = await take(store, session.id)
      await write(store, lease, session, [said('a'), said('b')])
      const refused = store.log.submit(world.workspace.id, session.id, { ...ask('x', undefined, 'reject') }, { now: 6 })
      await expect(refused).rejects.toMatchObject({ code: 'busy' })
      stop()
      await store.log.submit(world.workspace.id, session.id, ask(), { now: 7 })
      expect(rings.map(({ head, due }) => ({ head, due }))).toEqual([
        { head: 1, due: true },
        { head: 3, due: false },
      ])
      for (const { head, seen } of rings) expect(await seen).toBeGreaterThanOrEqual(head)
      expect(workspaces).toHaveLength(1)
    })
  })
}

async function dueOf(store: Store, session: SessionId, now = 100_000_000): Promise<boolean> {
  const due = await store.log.due('', now, 100_000)
  return due.some((each) => each.session === session)
}

async function settleAt(store: Store, session: SessionId, wakeAt: number | null) {
  const lease = await take(store, session)
  const { view, items } = await refold(store, session)
  const fold = { seq: view.seq, view, items: [...items.values()] }
  expect(await store.log.settle(lease, session, fold, wakeAt, 10)).toBe(true)
  return lease
}
