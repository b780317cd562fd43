import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseEvent } from '../../src/model/events/events.ts'
import type { PromptId, SessionId } from '../../src/model/ids.ts'
import type { Store } from '../../src/store/store.ts'
import { property } from '../support/property.ts'
import type { CurrentStore } from './store.ts'
import {
  admitted,
  answer,
  ask,
  ended,
  makeRunning,
  makeWorld,
  newInteraction,
  newRun,
  opened,
  refold,
  said,
  started,
  take,
  withdraw,
  write,
} from './store-world.ts'

const codeOf = (reason: unknown) => (reason as { code?: string }).code

/** Returns the prompt of the first event. */
async function queued(store: Store, session: SessionId): Promise<PromptId> {
  const [line] = await store.log.read(session, 0, 1)
  return JSON.parse(line?.json ?? '').data.prompt
}

export function itKeepsLogs(current: CurrentStore): void {
  describe('log', () => {
    property('L1: concurrent submits and records leave 1, 2, 3 ... without gaps', 12, async (numRuns) => {
      const store = current()
      const world = await makeWorld(store)
      await fc.assert(
        fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 24 }), async (sizes) => {
          const session = await world.session()
          const lease = await take(store, session.id)
          const ranges = await Promise.all(
            sizes.map(async (size) => {
              if (size === 0) {
                const { seq } = await store.log.submit(world.workspace.id, session.id, ask(), { now: 5 })
                return [seq, seq]
              }
              const outcomes = Array.from({ length: size }, (_, index) => said(`${index}`))
              const { first, last } = await store.log.record(lease, session.id, { outcomes }, 5)
              return [first, last]
            }),
          )
          const given = ranges.flatMap(([first = 0, last = 0]) =>
            Array.from({ length: last - first + 1 }, (_, index) => first + index),
          )
          const lines = await store.log.read(session.id, 0, 1_000)
          const all = Array.from({ length: lines.length }, (_, index) => index + 1)
          expect(given.sort((a, b) => a - b)).toEqual(all)
          expect(lines.map(({ json }) => parseEvent(JSON.parse(json)).seq)).toEqual(all)
          expect(await store.log.head(session.id)).toBe(lines.length)
        }),
        { numRuns },
      )
    })

    it('L1: a refused write leaves no gap behind', async () => {
      const store = current()
      const world = await makeWorld(store)
      const { session, lease, run } = await makeRunning(store, world)
      await expect(write(store, lease, session, [said('a'), ended(run), ended(run)])).rejects.toMatchObject({
        code: 'gone',
      })
      const next = await write(store, lease, session, [said('b')])
      expect(next.first).toBe(4)
    })

    it('L2: the same key and request again is one request, even when both arrive at once', async () => {
      const store = current()
      const world = await makeWorld(store)
      const session = await world.session()
      const submit = () => store.log.submit(world.workspace.id, session.id, ask('once'), { key: 'k', now: 5 })
      const results = await Promise.all(Array.from({ length: 12 }, submit))
      const [fresh, ...others] = results.filter(({ earlier }) => earlier === null)
      expect(others).toEqual([])
      for (const result of results) expect(result).toEqual({ ...fresh, earlier: result.earlier })
      expect(await store.log.head(session.id)).toBe(1)
      expect(await store.tree.session(world.workspace.id, session.id)).toMatchObject({ queued: 1, head: 1 })
    })

    it('L2: another request under a used key is refused, and a key of another session is another key', async () => {
      const store = current()
      const world = await makeWorld(store)
      const [one, two] = [await world.session(), await world.session()]
      await store.log.submit(world.workspace.id, one.id, ask('this'), { key: 'k', now: 5 })
      const other = store.log.submit(world.workspace.id, one.id, ask('that'), { key: 'k', now: 6 })
      await expect(other).rejects.toMatchObject({ code: 'bad_input' })
      const free = await store.log.submit(world.workspace.id, two.id, ask('that'), { key: 'k', now: 6 })
      expect(free.earlier).toBe(null)
    })

    it('L2: a refused request does not use up its key', async () => {
      const store = current()
      const world = await makeWorld(store)
      const { session, lease, run } = await makeRunning(store, world)
      const reject = { ...ask(), data: { ...ask().data, busy: 'reject' as const } }
      const options = { key: 'k', now: 6 }
      await expect(store.log.submit(world.workspace.id, session.id, reject, options)).rejects.toMatchObject({
        code: 'busy',
      })
      await write(store, lease, session, [ended(run)])
      expect((await store.log.submit(world.workspace.id, session.id, reject, options)).earlier).toBe(null)
    })

    it('L3: a holder whose lease was overtaken, released or has expired writes nothing', async () => {
      const store = current()
      const world = await makeWorld(store)
      const session = await world.session()
      const key = `session:${session.id}`
      const batch = { outcomes: [said('x')] }
      const lost = { code: 'lease_lost' }
      const old = await store.leases.acquire(key, 'node-1', 1_000, 0)
      if (!old) throw new Error('the lease was free')
      await expect(store.log.record(old, session.id, batch, 1_000)).rejects.toMatchObject(lost)
      const young = await store.leases.acquire(key, 'node-2', 1_000, 1_000)
      if (!young) throw new Error('the lease had run out')
      await expect(store.log.record(old, session.id, batch, 999)).rejects.toMatchObject(lost)
      // The same token under another name is no lease either.
      await expect(store.log.record({ ...young, holder: 'x' }, session.id, batch, 1_001)).rejects.toMatchObject(lost)
      await store.leases.release(young)
      await expect(store.log.record(young, session.id, batch, 1_001)).rejects.toMatchObject(lost)
      const other = await world.session()
      const elsewhere = await take(store, other.id)
      await expect(store.log.record(elsewhere, session.id, batch, 1)).rejects.toMatchObject(lost)
      expect(await store.log.read(session.id, 0, 10)).toEqual([])
    })

    it('L3: a lease taken with the first write goes to one writer, and a refused write takes none', async () => {
      const store = current()
      const world = await makeWorld(store)
      const session = await world.session()
      const key = `session:${session.id}`
      const claim = (holder: string) => ({ key, holder, ttlMs: 1_000 })
      await store.log.submit(world.workspace.id, session.id, ask(), { now: 1 })
      const gone = store.log.record(claim('none'), session.id, { outcomes: [ended(newRun())] }, 5)
      await expect(gone).rejects.toMatchObject({ code: 'gone' })
      expect(await store.leases.holderOf(key)).toBeNull()
      const names = ['a', 'b', 'c', 'd', 'e']
      const tries = names.map((name) => store.log.record(claim(name), session.id, { outcomes: [said(name)] }, 10))
      const results = await Promise.allSettled(tries)
      const [won, ...others] = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
      expect(others).toEqual([])
      expect(results.flatMap((result) => (result.status === 'rejected' ? [codeOf(result.reason)] : []))).toEqual(
        Array(4).fill('lease_lost'),
      )
      if (!won) throw new Error('no writer took the lease')
      expect(await store.leases.holderOf(key)).toEqual(won.lease)
      expect(await store.log.head(session.id)).toBe(2)
      // From then on it is an ordinary lease; a lease of another session does not count here.
      await store.log.record(won.lease, session.id, { outcomes: [said('more')] }, 20)
      const foreign = store.log.record(
        { ...claim('a'), key: 'session:other' },
        session.id,
        { outcomes: [said('x')] },
        2_000,
      )
      await expect(foreign).rejects.toMatchObject({ code: 'lease_lost' })
      const young = await store.log.record(claim('young'), session.id, { outcomes: [said('y')] }, 2_000)
      expect(young.lease.token).toBeGreaterThan(won.lease.token)
      await expect(store.log.record(won.lease, session.id, { outcomes: [said('z')] }, 5)).rejects.toMatchObject({
        code: 'lease_lost',
      })
    })

    it('L3: events that follow from a request are in one commit with it, if nothing came between and the lease is free', async () => {
      const store = current()
      const world = await makeWorld(store)
      const session = await world.session()
      const key = `session:${session.id}`
      const right = (holder: string) => ({ key, holder, ttlMs: 1_000 })
      const put = (after: number, holder: string, now: number, options: { key?: string; words?: string } = {}) => {
        const request = ask(options.words ?? 'go')
        const run = newRun()
        const begins = { after, right: right(holder), outcomes: [admitted(run, request.data.prompt), started(run)] }
        const done = store.log.submit(world.workspace.id, session.id, request, { key: options.key, now, begins })
        return { run, done }
      }
      // The holder is wrong about the head of the log: only the request is written, and no lease is taken.
      expect((await put(7, 'early', 1).done).began).toBeNull()
      expect(await store.leases.holderOf(key)).toBeNull()
      expect(await store.log.head(session.id)).toBe(1)
      await store.log.submit(world.workspace.id, session.id, withdraw(await queued(store, session.id)), { now: 1 })
      const first = put(2, 'one', 5, { key: 'k' })
      const { seq, began } = await first.done
      expect([seq, began?.first, began?.last]).toEqual([3, 4, 5])
      expect(await store.leases.holderOf(key)).toEqual(began?.lease)
      const lines = (await store.log.read(session.id, 2, 10)).map(({ json }) => parseEvent(JSON.parse(json)))
      expect(lines.map(({ type, at }) => [type, at])).toEqual([
        ['prompt.requested', 5],
        ['run.admitted', 5],
        ['run.started', 5],
      ])
      expect(await store.log.run(world.workspace.id, first.run)).toMatchObject({ state: 'started', admittedAt: 5 })
      expect(await store.tree.session(world.workspace.id, session.id)).toMatchObject({ state: 'running', queued: 0 })
      // A repeated request gets the first answer; only a holder of the lease continues from a request.
      expect(await put(5, 'one', 6, { key: 'k' }).done).toMatchObject({ seq: 3, began: null })
      expect(await put(5, 'two', 6).done).toMatchObject({ seq: 6, began: null })
      const lease = began?.lease
      if (!lease) throw new Error('the run did not begin')
      await write(store, lease, session, [ended(first.run)])
      await refold(store, session.id)
    })

    it('L1: requests that bring their consequences have numbers of their own, also beside a writing holder', async () => {
      const store = current()
      const world = await makeWorld(store)
      const session = await world.session()
      const lease = await take(store, session.id)
      const bring = async (n: number) => {
        const after = await store.log.head(session.id)
        const begins = { after, right: lease, outcomes: [said(`behind ${n}`)] }
        return await store.log.submit(world.workspace.id, session.id, ask(`${n}`), { now: 5, begins })
      }
      for (let round = 0; round < 5; round += 1) {
        const brought = Array.from({ length: 8 }, (_, n) => bring(n))
        const written = Array.from({ length: 8 }, (_, n) => write(store, lease, session, [said(`${n}`)]))
        await Promise.all([...brought, ...written])
      }
      const requests = (await Promise.all(Array.from({ length: 4 }, (_, n) => bring(n)))).map(({ seq }) => seq)
      const lines = (await store.log.read(session.id, 0, 1_000)).map(({ json }) => parseEvent(JSON.parse(json)))
      expect(lines.map(({ seq }) => seq)).toEqual(Array.from({ length: lines.length }, (_, index) => index + 1))
      expect(lines.filter(({ type }) => type === 'prompt.requested')).toHaveLength(44)
      for (const seq of requests) expect(lines[seq - 1]?.type).toBe('prompt.requested')
    })

    it('L3: in a race of a takeover with writes, every write came before the takeover', async () => {
      const store = current()
      const world = await makeWorld(store)
      for (let round = 0; round < 8; round += 1) {
        const session = await world.session()
        const key = `session:${session.id}`
        const old = await store.leases.acquire(key, 'node-1', 10, 0)
        if (!old) throw new Error('the lease was free')
        // By its own slow clock the old holder is alive all the time.
        const writes = Array.from({ length: 12 }, () =>
          store.log.record(old, session.id, { outcomes: [said('old')] }, 5).catch(codeOf),
        )
        const young = await store.leases.acquire(key, 'node-2', 1_000, 20)
        if (!young) throw new Error('the lease had run out')
        const first = await store.log.record(young, session.id, { outcomes: [said('young')] }, 21)
        const results = await Promise.all(writes)
        const before = results.filter((result) => typeof result === 'object')
        expect(results.filter((result) => typeof result !== 'object')).toEqual(
          Array.from({ length: 12 - before.length }, () => 'lease_lost'),
        )
        expect(first.first).toBe(before.length + 1)
        expect(await store.log.head(session.id)).toBe(before.length + 1)
      }
    })

    it('L4: a run has exactly one end, however many write it', async () => {
      const store = current()
      const world = await makeWorld(store)
      const { session, lease, run } = await makeRunning(store, world)
      const end = () => store.log.record(lease, session.id, { outcomes: [ended(run)] }, 20)
      const results = await Promise.allSettled(Array.from({ length: 10 }, end))
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const result of results) if (result.status === 'rejected') expect(codeOf(result.reason)).toBe('gone')
      const lines = await store.log.read(session.id, 0, 100)
      expect(lines.filter(({ json }) => json.includes('"run.ended"'))).toHaveLength(1)
      expect(await store.log.run(world.workspace.id, run)).toMatchObject({ state: 'ended', outcome: 'completed' })
    })

    it('a prompt is taken by one run or withdrawn, never both', async () => {
      const store = current()
      const world = await makeWorld(store)
      for (let round = 0; round < 8; round += 1) {
        const session = await world.session()
        const lease = await take(store, session.id)
        const request = ask()
        await store.log.submit(world.workspace.id, session.id, request, { now: 5 })
        const [taken, withdrawn] = await Promise.allSettled([
          write(store, lease, session, [admitted(newRun(), request.data.prompt)]),
          store.log.submit(world.workspace.id, session.id, withdraw(request.data.prompt), { now: 6 }),
        ])
        expect([taken?.status, withdrawn?.status].sort()).toEqual(['fulfilled', 'rejected'])
        expect(await store.tree.session(world.workspace.id, session.id)).toMatchObject({ queued: 0 })
      }
    })

    it('I1: of many answers the first wins, and the others learn who won', async () => {
      const store = current()
      const world = await makeWorld(store)
      const { session, lease, run } = await makeRunning(store, world)
      const question = newInteraction()
      await write(store, lease, session, [opened(question, run)])
      const names = ['ada', 'bea', 'cem', 'dan']
      const results = await Promise.allSettled(
        names.map((name) =>
          store.log.submit(world.workspace.id, session.id, answer(question, 'yes', name), { now: 9 }),
        ),
      )
      const winner = names[results.findIndex(({ status }) => status === 'fulfilled')]
      for (const [index, result] of results.entries()) {
        if (names[index] === winner) continue
        expect(result).toMatchObject({
          reason: { code: 'already_answered', data: { by: { name: winner }, at: 9, answer: { option: 'yes' } } },
        })
      }
      const row = await store.people.interaction(world.workspace.id, question)
      expect(row).toMatchObject({ state: 'answered', answeredBy: { name: winner }, answeredAt: 9 })
      const expired = write(store, lease, session, [
        { type: 'interaction.expired', data: { interaction: question, answer: { declined: true } } },
      ])
      await expect(expired).rejects.toMatchObject({ code: 'gone' })
    })

    it('I2: an answer is stored with the request to continue, when nobody holds the session and no node is awake', async () => {
      const store = current()
      const world = await makeWorld(store)
      const { session, lease, run } = await makeRunning(store, world)
      const question = newInteraction()
      await write(store, lease, session, [
        opened(question, run),
        { type: 'run.parked', data: { run, reason: 'waits for a person' } },
      ])
      const { view, items } = await refold(store, session.id)
      const fold = { seq: view.seq, view, items: [...items.values()] }
      expect(await store.log.settle(lease, session.id, fold, null, 20)).toBe(true)
      await store.leases.release(lease)
      const due = async () => (await store.log.due('', 30, 100_000)).some((each) => each.session === session.id)
      expect(await due()).toBe(false)
      await store.log.submit(world.workspace.id, session.id, answer(question), { now: 25 })
      expect(await due()).toBe(true)
      expect(await store.tree.session(world.workspace.id, session.id)).toMatchObject({ questions: 0, state: 'running' })
    })

    it('a closed session takes nothing more except a second request to close it', async () => {
      const store = current()
      const world = await makeWorld(store)
      const session = await world.session()
      const lease = await take(store, session.id)
      const close = { type: 'close.requested', data: { by: ask().data.by } } as const
      const submit = (request: Parameters<typeof store.log.submit>[2]) =>
        store.log.submit(world.workspace.id, session.id, request, { now: 7 })
      await submit(ask())
      await submit(close)
      await expect(submit(ask())).rejects.toMatchObject({ code: 'gone' })
      await write(store, lease, session, [{ type: 'session.closed', data: { reason: 'asked' } }], 8)
      await expect(submit(ask())).rejects.toMatchObject({ code: 'gone' })
      await submit(close)
      expect(await store.tree.session(world.workspace.id, session.id)).toMatchObject({
        state: 'closed',
        closedAt: 8,
        queued: 0,
      })
    })

    it('a line is the stored event, byte for byte', async () => {
      const store = current()
      const world = await makeWorld(store)
      const { session, lease, run } = await makeRunning(store, world)
      const words = 'ü "quoted" \\ \u0000 \ud83d\ude00 \ud800 </script>\n'
      await write(store, lease, session, [{ ...said(words), run }], 11)
      const [line] = await store.log.read(session.id, 3, 1)
      expect(line).toEqual({
        seq: 4,
        json: JSON.stringify({ session: session.id, seq: 4, at: 11, run, ...said(words) }),
      })
    })

    it('a session has one run at a time', async () => {
      const store = current()
      const world = await makeWorld(store)
      const { session, lease } = await makeRunning(store, world)
      const next = ask('next')
      await store.log.submit(world.workspace.id, session.id, next, { now: 6 })
      const second = newRun()
      const admit = write(store, lease, session, [admitted(second, next.data.prompt), started(second)])
      await expect(admit).rejects.toMatchObject({ code: 'busy' })
      expect(await store.log.run(world.workspace.id, second)).toBeNull()
    })
  })
}
