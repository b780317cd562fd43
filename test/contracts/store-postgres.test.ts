import { fork } from 'node:child_process'
import pg from 'pg'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { PromptId } from '../../src/model/ids.ts'
import { createPostgresBell } from '../../src/store/postgres/bell-postgres.ts'
import { openPostgres } from '../../src/store/postgres/postgres.ts'
import { MIGRATIONS } from '../../src/store/sql/migrations/migrate.ts'
import type { Ring } from '../../src/store/store.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { ask, makeRunning, makeWorld, newSession, refold, said, WITHOUT_LATER, withdraw, write } from './store-world.ts'

/** Contracts of the shared engine alone: several nodes, their bell, a server that goes away. */
let database: TestDatabase
beforeEach(async ({ skip }) => {
  const made = await createDatabase()
  if ('skipped' in made) return skip(made.skipped)
  database = made
})
afterEach(async () => {
  await database?.drop()
})

const COPY_ELSEWHERE = { copies: '', copy: 'made', carrel: 'test', holder: 'node-1', env: {} } as const

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query(statement).finally(() => client.end())
}

it('nodes that start at once on an empty database share one schema', async () => {
  const stores = await Promise.all([1, 2, 3, 4].map(() => openPostgres({ url: database.url, poolSize: 2 })))
  const [one, two] = stores
  if (!one || !two) throw new Error('four were opened')
  const world = await makeWorld(one)
  expect(await two.tree.workspace(world.workspace.id)).toEqual(world.workspace)
  expect(await two.stats()).toMatchObject({ engine: 'postgres', schema: MIGRATIONS.length })
  const { password } = new URL(database.url)
  expect(JSON.stringify(await two.stats())).not.toContain(password)
  await Promise.all(stores.map((store) => store.close()))
})

it('L1, L3: two nodes write one session, and only its holder records', async () => {
  const [one, two] = await Promise.all([openPostgres({ url: database.url }), openPostgres({ url: database.url })])
  const world = await makeWorld(one)
  const session = await world.session()
  const key = `session:${session.id}`
  const [a, b] = await Promise.all([one.leases.acquire(key, 'one', 100, 0), two.leases.acquire(key, 'two', 100, 0)])
  expect([a, b].filter((lease) => lease !== null)).toHaveLength(1)
  await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      (index % 2 ? one : two).log.submit(world.workspace.id, session.id, ask(), { now: 5 }),
    ),
  )
  const lines = await two.log.read(session.id, 0, 100)
  expect(lines.map(({ seq }) => seq)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1))
  const old = a ?? b
  const young = await (a ? two : one).leases.acquire(key, 'young', 100, 100)
  if (!old || !young) throw new Error('one had it and it ran out')
  const late = (a ? one : two).log.record(old, session.id, { outcomes: [said('late')] }, 50)
  await expect(late).rejects.toMatchObject({ code: 'lease_lost' })
  await write(one, young, session, [said('young')], 110)
  await Promise.all([one.close(), two.close()])
})

it('L5: an acknowledged write of a node survives its kill -9, and the numbers have no gap', {
  timeout: 90_000,
}, async () => {
  const store = await openPostgres({ url: database.url })
  const world = await makeWorld(store)
  const session = await world.session()
  let acknowledged = 0
  for (const round of ['0', '1', '2']) {
    const args = ['write', database.url, world.workspace.id, round, session.id]
    const child = fork(new URL('./store-child.ts', import.meta.url), args, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const gone = new Promise((resolve) => child.once('exit', resolve))
    await new Promise<void>((resolve) => {
      let count = 0
      child.on('message', ([, seq]: [string, number]) => {
        acknowledged = Math.max(acknowledged, seq)
        count += 1
        if (count === 60) resolve()
      })
    })
    child.kill('SIGKILL')
    await gone
    // The server ends the dead node's open transaction before this call completes: the row is locked.
    await store.log.submit(world.workspace.id, session.id, ask(), { now: 9 })
    const lines = await store.log.read(session.id, 0, 100_000)
    expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, index) => index + 1))
    expect(lines.length).toBeGreaterThan(acknowledged)
    const row = await store.tree.session(world.workspace.id, session.id)
    expect(row).toMatchObject({ ...(await refold(store, session.id)).headline, head: lines.length })
  }
  await store.close()
})

it('a schema of its own keeps two installations on one database apart', async () => {
  const [one, two] = await Promise.all([
    openPostgres({ url: database.url, schema: 'first' }),
    openPostgres({ url: database.url, schema: 'second' }),
  ])
  const world = await makeWorld(one)
  expect(await two.tree.workspace(world.workspace.id)).toBeNull()
  await expect(openPostgres({ url: database.url, schema: 'a; drop' })).rejects.toMatchObject({ code: 'bad_input' })
  await Promise.all([one.close(), two.close()])
})

it('items from before the search existed are found from the first start on', async () => {
  const store = await openPostgres({ url: database.url })
  const world = await makeWorld(store)
  const { session, lease } = await makeRunning(store, world)
  await write(store, lease, session, [said('words of old')])
  const { view, items } = await refold(store, session.id)
  await store.log.rebuild(session.id, { seq: view.seq, view, items: [...items.values()] })
  await store.close()
  await onServer(`${WITHOUT_LATER} drop table search_items; delete from schema_versions where version > 1`)
  const again = await openPostgres({ url: database.url, upgrade: COPY_ELSEWHERE })
  const { rows } = await again.log.search(world.workspace.id, { text: 'of old' }, { cursor: null, limit: 10 })
  expect(rows).toMatchObject([{ session: session.id, kind: 'message', snippet: 'words of old' }])
  await again.close()
})

it('a prompt that waited in an older database waits in the new one, and no other', async () => {
  const store = await openPostgres({ url: database.url })
  const world = await makeWorld(store)
  const session = await world.session()
  const waiting = ask()
  await store.log.submit(world.workspace.id, session.id, waiting, { now: 5 })
  await store.close()
  await onServer(`${WITHOUT_LATER} delete from schema_versions where version > 2`)
  const again = await openPostgres({ url: database.url, upgrade: COPY_ELSEWHERE })
  const takeBack = (prompt: PromptId) => again.log.submit(world.workspace.id, session.id, withdraw(prompt), { now: 6 })
  await expect(takeBack('taken' as PromptId)).rejects.toMatchObject({ code: 'gone' })
  expect(await takeBack(waiting.data.prompt)).toMatchObject({ seq: 2 })
  await again.close()
})

it('a newer schema and a missing server are refused with a message', async () => {
  await (await openPostgres({ url: database.url })).close()
  await onServer('insert into schema_versions (version, applied_at) values (99, 1)')
  await expect(openPostgres({ url: database.url })).rejects.toMatchObject({ code: 'unavailable', data: { schema: 99 } })
  const nowhere = openPostgres({ url: 'postgres://somebody:secret@127.0.0.1:1/none' })
  await expect(nowhere).rejects.toMatchObject({ code: 'unavailable' })
  await expect(nowhere).rejects.not.toThrow(/secret/)
})

it('a server that drops all connections costs the calls under way, not the store', async () => {
  const store = await openPostgres({ url: database.url, poolSize: 3 })
  const world = await makeWorld(store)
  const session = await world.session()
  const submits = Array.from({ length: 30 }, () =>
    store.log.submit(world.workspace.id, session.id, ask(), { now: 5 }).then(
      ({ seq }) => seq,
      (error: { code: string }) => error.code,
    ),
  )
  await dropOthers()
  const results = await Promise.all(submits)
  for (const result of results) if (typeof result !== 'number') expect(result).toBe('unavailable')
  await expect.poll(() => store.log.head(session.id).catch(() => -1)).toBeGreaterThanOrEqual(0)
  const lines = await store.log.read(session.id, 0, 100)
  const seqs = lines.map(({ seq }) => seq)
  for (const result of results) if (typeof result === 'number') expect(seqs).toContain(result)
  await store.log.submit(world.workspace.id, session.id, ask(), { now: 6 })
  await store.close()
})

it('L7: a bell rings at every node, here at once, and again after the server dropped it', async () => {
  const [here, there] = await Promise.all([createPostgresBell(database.url), createPostgresBell(database.url)])
  const log = newSession()
  const heard: Ring[] = []
  const all: Ring[] = []
  const others: Ring[] = []
  here.listen(log, (ring) => heard.push(ring))
  const stop = there.listen(log, (ring) => others.push(ring))
  there.listen(null, (ring) => all.push(ring))
  const rings = Array.from({ length: 100 }, (_, index) => ({ log, head: index + 1, due: index === 3 }))
  for (const ring of rings) here.ring(ring)
  // The own node hears each ring, at once and once; the others hear the remaining ones.
  expect(heard).toEqual(rings)
  await expect.poll(() => others.at(-1)?.head).toBe(100)
  expect(others.length).toBeLessThan(100)
  expect(others.some(({ due }) => due)).toBe(true)
  expect(heard).toHaveLength(100)

  await dropOthers()
  const again = newSession()
  await expect
    .poll(
      () => {
        here.ring({ log: again, head: 1, due: false })
        return all.some((ring) => ring.log === again)
      },
      { timeout: 60_000 },
    )
    .toBe(true)
  stop()
  await Promise.all([here.close(), there.close()])
})

it('L7: many logs ring at once, however long their list', async () => {
  const [here, there] = await Promise.all([createPostgresBell(database.url), createPostgresBell(database.url)])
  const logs = Array.from({ length: 500 }, newSession)
  const heard = new Set<string>()
  there.listen(null, ({ log }) => heard.add(log))
  for (const log of logs) here.ring({ log, head: Number.MAX_SAFE_INTEGER, due: true })
  await expect.poll(() => heard.size).toBe(500)
  await Promise.all([here.close(), there.close()])
})

/** Ends every connection to the database except its own. */
async function dropOthers(): Promise<void> {
  await onServer(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()`,
  )
}
