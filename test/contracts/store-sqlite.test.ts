import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { PromptId } from '../../src/model/ids.ts'
import { MIGRATIONS } from '../../src/store/sql/migrations/migrate.ts'
import { lockFolder } from '../../src/store/sqlite/lock.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import { openForWriting } from '../../src/store/sqlite/sqlite-writer.ts'
import type { Store } from '../../src/store/store.ts'
import {
  ask,
  makeRunning,
  makeWorld,
  newRun,
  refold,
  said,
  take,
  WITHOUT_LATER,
  withdraw,
  write,
} from './store-world.ts'

/** Contracts of the embedded engine alone: its file, its thread, its lock. */
let folder = ''
let children: ChildProcess[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'carrel-sqlite-'))
})
afterEach(async () => {
  for (const child of children) await kill(child)
  children = []
  rmSync(folder, { recursive: true, force: true })
})

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

function start(...args: string[]): ChildProcess {
  const child = fork(new URL('./store-child.ts', import.meta.url), args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  children.push(child)
  return child
}

const saidBy = (child: ChildProcess) =>
  new Promise<unknown>((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', (code) => reject(new Error(`the child ended with ${code}`)))
  })

it('L5: acknowledged writes survive kill -9, and the numbers have no gap', { timeout: 90_000 }, async () => {
  const path = join(folder, 'carrel.db')
  const seeded = await openSqlite({ path })
  const world = await makeWorld(seeded)
  const sessions = [await world.session(), await world.session(), await world.session()]
  await seeded.close()
  const acknowledged = new Map<string, number>()
  for (let round = 0; round < 5; round += 1) {
    const child = start('write', path, world.workspace.id, `${round}`, ...sessions.map(({ id }) => id))
    // Killed at full work: after this many acknowledgements, not after some time.
    await new Promise<void>((resolve) => {
      let count = 0
      child.on('message', ([session, seq]: [string, number]) => {
        acknowledged.set(session, Math.max(seq, acknowledged.get(session) ?? 0))
        count += 1
        if (count === 100 + round * 70) resolve()
      })
    })
    await kill(child)
    const store = await openSqlite({ path })
    for (const { id } of sessions) {
      const lines = await store.log.read(id, 0, 100_000)
      expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, index) => index + 1))
      expect(lines.length).toBeGreaterThanOrEqual(acknowledged.get(id) ?? 0)
      const row = await store.tree.session(world.workspace.id, id)
      expect(row).toMatchObject({ ...(await refold(store, id)).headline, head: lines.length })
    }
    await store.close()
  }
  expect(acknowledged.size).toBe(3)
})

it('S5: a second process is refused with a message, and after kill -9 of the first the folder is free at once', async () => {
  const first = start('lock', folder)
  expect(await saidBy(first)).toBe('locked')
  const refusal = lockFolder(folder)
  await expect(refusal).rejects.toMatchObject({ code: 'unavailable', data: { pid: first.pid } })
  await expect(refusal).rejects.toThrow(new RegExp(`Process ${first.pid} is using the data folder`))
  await kill(first)
  const lock = await lockFolder(folder)
  await expect(lockFolder(folder)).rejects.toMatchObject({ data: { pid: process.pid } })
  lock.release()
  lock.release()
  const second = start('lock', folder)
  expect(await saidBy(second)).toBe('locked')
})

it('S5: a folder that cannot be locked is not reported as in use', async () => {
  await expect(lockFolder(join(folder, 'missing'))).rejects.toThrow(/cannot be opened/)
})

it('a failing write leaves the others of its commit unharmed', async () => {
  const store = await openSqlite({ path: join(folder, 'carrel.db') })
  const world = await makeWorld(store)
  const session = await world.session()
  const rings: number[] = []
  store.onAppend(({ log, head }) => {
    if (log === session.id) rings.push(head)
  })
  const prompt = ask()
  // All writes of one turn cross to the writer together and share a commit.
  const results = await Promise.allSettled(
    [
      ask(),
      prompt,
      prompt,
      ask(),
      { ...ask(), type: 'cancel.requested', data: { run: newRun(), by: ask().data.by } } as const,
      ask(),
    ].map((request) => store.log.submit(world.workspace.id, session.id, request, { now: 5 })),
  )
  expect(results.map((result) => (result.status === 'fulfilled' ? result.value.seq : result.reason.code))).toEqual([
    1,
    2,
    'bad_input',
    3,
    'gone',
    4,
  ])
  expect(rings).toEqual([4])
  expect(await store.tree.session(world.workspace.id, session.id)).toMatchObject({ head: 4, queued: 4 })
  await store.close()
})

it('a value that cannot cross to the writer is refused alone', async () => {
  const store = await openSqlite({ path: join(folder, 'carrel.db') })
  const world = await makeWorld(store)
  const broken = { ...world.workspace, name: (() => 'no text') as unknown as string }
  const [refused, done] = await Promise.allSettled([store.tree.createWorkspace(broken, 1), world.session()])
  expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'internal' } })
  expect(done?.status).toBe('fulfilled')
  await store.close()
})

it('a closed store commits earlier requests, refuses later ones, and may be closed again', async () => {
  const path = join(folder, 'carrel.db')
  const store = await openSqlite({ path })
  const world = await makeWorld(store)
  const session = await world.session()
  const last = store.log.submit(world.workspace.id, session.id, ask(), { now: 5 })
  await Promise.all([last, store.close(), store.close()])
  await expect(world.session()).rejects.toMatchObject({ code: 'unavailable' })
  const again = await openSqlite({ path })
  expect(await again.log.head(session.id)).toBe(1)
  await again.close()
})

it('readers see whole transactions while writes go on', async () => {
  const store = await openSqlite({ path: join(folder, 'carrel.db') })
  const world = await makeWorld(store)
  const session = await world.session()
  const lease = await take(store, session.id)
  let writing = true
  const outcomes = Array.from({ length: 7 }, (_, index) => said(`${index}`))
  const writer = (async () => {
    for (let round = 0; round < 60; round += 1) await store.log.record(lease, session.id, { outcomes }, 5)
    writing = false
  })()
  let seen = 0
  while (writing) {
    const lines = await store.log.read(session.id, 0, 1_000)
    expect(lines.length % 7).toBe(0)
    expect(lines.length).toBeGreaterThanOrEqual(seen)
    seen = lines.length
    // Lets the writer's message through: reads of this engine answer at once.
    await new Promise(setImmediate)
  }
  await writer
  expect(await store.log.head(session.id)).toBe(420)
  await store.close()
})

it('a database of a newer Carrel is refused with a message and left unchanged', async () => {
  const path = join(folder, 'carrel.db')
  await (await openSqlite({ path })).close()
  const db = new DatabaseSync(path)
  db.exec('insert into schema_versions (version, applied_at) values (99, 1)')
  db.close()
  const opening = openSqlite({ path })
  await expect(opening).rejects.toMatchObject({ code: 'unavailable', data: { schema: 99 } })
  await expect(opening).rejects.toThrow(/newer Carrel/)
})

it('a file that is not a database is refused with a message', async () => {
  const path = join(folder, 'carrel.db')
  writeFileSync(path, 'this is a letter to my aunt, long enough to be taken for the beginning of a file. '.repeat(20))
  await expect(openSqlite({ path })).rejects.toMatchObject({ code: 'unavailable' })
  await expect(openSqlite({ path: join(folder, 'no', 'folder.db') })).rejects.toMatchObject({ code: 'unavailable' })
})

it('browser settings of an older version become today’s values, and nothing else changes', async () => {
  const path = join(folder, 'carrel.db')
  const older = await openForWriting({ path, now: 1 }, MIGRATIONS.slice(0, 9))
  const said = { env: { TEXT: '"browser":false' }, browser: false, ports: ['web'] }
  older
    .prepare("insert into surroundings (workspace, scope, settings, updated_at) values ('old', '', ?, 1)")
    .run(JSON.stringify(said))
  older.close()
  const store = await openSqlite({ path })
  const { workspace } = await store.environment.at({ workspace: 'old' as never, space: null, project: null })
  expect(workspace).toEqual({ ...said, browser: 'none' })
  await store.close()
})

it('a backup taken during writes opens by itself', async () => {
  const store = await openSqlite({ path: join(folder, 'carrel.db') })
  const world = await makeWorld(store)
  const session = await world.session()
  const submits = Array.from({ length: 50 }, () => store.log.submit(world.workspace.id, session.id, ask(), { now: 5 }))
  const copy = join(folder, 'copy.db')
  await Promise.all([...submits, store.backup(copy)])
  await store.close()
  const restored = await openSqlite({ path: copy })
  const row = await restored.tree.session(world.workspace.id, session.id)
  expect((await restored.log.read(session.id, 0, 100)).length).toBe(row?.head)
  expect(await restored.stats()).toMatchObject({ engine: 'sqlite', sessions: 1, schema: MIGRATIONS.length })
  await restored.close()
})

it('L9: a stored fold of another version counts as none, and its items go when a new one comes', async () => {
  const path = join(folder, 'carrel.db')
  const store = await openSqlite({ path })
  const world = await makeWorld(store)
  const { session, lease } = await makeRunning(store, world)
  await write(store, lease, session, [said('words')])
  const { view, items } = await refold(store, session.id)
  const fold = { seq: view.seq, view, items: [...items.values()] }
  await store.log.rebuild(session.id, fold)
  const db = new DatabaseSync(path)
  db.exec('update folds set version = version - 1; update items set n = n + 100')
  expect(await store.log.staleFolds(null, 1)).toEqual({ sessions: [session.id], last: session.id })
  expect(await store.log.staleFolds(session.id, 1)).toEqual({ sessions: [], last: null })
  expect(await store.log.fold(session.id)).toBeNull()
  expect(await store.log.items(session.id, null, 100)).toEqual([])
  expect(await store.log.itemsByN(session.id, [101, 104])).toEqual([])
  await store.log.record(lease, session.id, { outcomes: [said('more')], fold }, 20)
  expect(await store.log.staleFolds(null, 2)).toEqual({ sessions: [], last: null })
  expect(await store.log.fold(session.id)).toEqual({ view, seq: view.seq })
  expect(await store.log.items(session.id, null, 100)).toEqual(fold.items.sort((a, b) => b.n - a.n))
  db.exec(`update folds set view = '{"session": 1'; update items set json = '{"kind": "letter"}'`)
  db.close()
  // An unreadable view is made again; an unreadable item is an error, since nobody would miss it.
  expect(await store.log.fold(session.id)).toBeNull()
  await expect(store.log.items(session.id, null, 100)).rejects.toMatchObject({ code: 'internal' })
  await store.log.rebuild(session.id, fold)
  expect(await store.log.fold(session.id)).toEqual({ view, seq: view.seq })
  await store.close()
})

it('items from before the search existed are found from the first start on', async () => {
  const path = join(folder, 'carrel.db')
  const store = await openSqlite({ path })
  const world = await makeWorld(store)
  const { session, lease } = await makeRunning(store, world)
  await write(store, lease, session, [said('words of old')])
  const { view, items } = await refold(store, session.id)
  await store.log.rebuild(session.id, { seq: view.seq, view, items: [...items.values()] })
  await store.close()
  const db = new DatabaseSync(path)
  db.exec(`${WITHOUT_LATER} drop table item_words; drop table search_items`)
  db.exec('delete from schema_versions where version > 1')
  db.close()
  const again = await openSqlite({ path })
  const { rows } = await again.log.search(world.workspace.id, { text: 'of old' }, { cursor: null, limit: 10 })
  expect(rows).toMatchObject([{ session: session.id, kind: 'message', snippet: 'words of old' }])
  await again.close()
})

it('a prompt that waited in an older database waits in the new one, no other does, and logs are unchanged', async () => {
  const path = join(folder, 'carrel.db')
  const store = await openSqlite({ path })
  const world = await makeWorld(store)
  const session = await world.session()
  const waiting = ask()
  await store.log.submit(world.workspace.id, session.id, waiting, { now: 5 })
  const logs = async (of: Store) => [
    await of.log.read(session.id, 0, 10),
    await of.tree.readWorkspace(world.workspace.id, 0, 100),
  ]
  const before = await logs(store)
  await store.close()
  const db = new DatabaseSync(path)
  db.exec(`${WITHOUT_LATER} delete from schema_versions where version > 2`)
  db.close()
  const again = await openSqlite({ path })
  expect(await logs(again)).toEqual(before)
  const takeBack = (prompt: PromptId) => again.log.submit(world.workspace.id, session.id, withdraw(prompt), { now: 6 })
  await expect(takeBack('taken' as PromptId)).rejects.toMatchObject({ code: 'gone' })
  expect(await takeBack(waiting.data.prompt)).toMatchObject({ seq: 2 })
  await again.close()
})

it('a search is refused once the store is closed, and a running search does not delay the close', async () => {
  const store = await openSqlite({ path: join(folder, 'carrel.db') })
  const world = await makeWorld(store)
  const find = () => store.log.search(world.workspace.id, { text: 'words' }, { cursor: null, limit: 10 })
  const early = find().catch((error) => error.code)
  await Promise.all([store.close(), store.close()])
  expect(await early).toBe('unavailable')
  await expect(find()).rejects.toMatchObject({ code: 'unavailable' })
})

it('L5: a full disk is an error with a message, no acknowledged write is lost, and writing continues when there is room', async ({
  skip,
}) => {
  const disk = join(folder, 'disk')
  mkdirSync(disk)
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return skip('only root can mount a small disk')
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk], { stdio: 'pipe' })
  } catch {
    return skip('this machine forbids mounting a small disk')
  }
  try {
    await fillAndGoOn(disk)
  } finally {
    execFileSync('umount', [disk])
  }
})

async function fillAndGoOn(disk: string): Promise<void> {
  const ballast = join(disk, 'ballast')
  writeFileSync(ballast, Buffer.alloc(1_000_000))
  const store = await openSqlite({ path: join(disk, 'carrel.db') })
  const world = await makeWorld(store)
  const session = await world.session()
  const kept = await fillUp(store, world.workspace.id, session.id)
  expect(await store.log.head(session.id)).toBe(kept)
  rmSync(ballast)
  const next = await store.log.submit(world.workspace.id, session.id, ask('room again'), { now: 5 })
  expect(next.seq).toBe(kept + 1)
  await store.close()
  const again = await openSqlite({ path: join(disk, 'carrel.db') })
  expect(await again.log.read(session.id, 0, 100_000)).toHaveLength(kept + 1)
  await again.close()
  expect(existsSync(ballast)).toBe(false)
}

/** Writes until the disk is full. @returns the last number that was acknowledged */
async function fillUp(
  store: Store,
  workspace: Parameters<Store['log']['submit']>[0],
  session: Parameters<Store['log']['head']>[0],
) {
  let last = 0
  for (;;) {
    const submits = Array.from({ length: 4 }, () =>
      store.log.submit(workspace, session, ask('x'.repeat(20_000)), { now: 5 }),
    )
    const results = await Promise.allSettled(submits)
    for (const result of results) if (result.status === 'fulfilled') last = Math.max(last, result.value.seq)
    const refused = results.filter((result) => result.status === 'rejected')
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'unavailable' })
    for (const { reason } of refused) expect(reason.message).toMatch(/disk is full/)
    if (refused.length === results.length) return last
  }
}

it('a clean stop puts the write-ahead log into the database', async () => {
  const store = await openSqlite({ path: join(folder, 'carrel.db') })
  await makeWorld(store)
  await store.tree.workspaces()
  await store.close()
  expect(statSync(join(folder, 'carrel.db-wal')).size).toBe(0)
})
