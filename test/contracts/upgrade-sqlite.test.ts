import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { FOLD_VERSION } from '../../src/model/events/view.ts'
import { MIGRATIONS } from '../../src/store/sql/migrations/migrate.ts'
import type { Migration, MigrationStep } from '../../src/store/sql/migrations/migration.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import { checkSqlite } from '../../src/store/sqlite/sqlite-check.ts'
import { openForWriting } from '../../src/store/sqlite/sqlite-writer.ts'
import { listCopies, readCopy } from '../../src/store/upgrade/copies.ts'
import { folderDigest } from '../support/folder-digest.ts'
import { makeOldSqlite, nextMigration, OLD_ROWS } from '../support/old-database.ts'
import { newSession } from './store-world.ts'

/** An upgrade of the embedded database: a copy first, all or nothing, and a way back. */
let folder = ''
let path = ''
let copies = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'carrel-upgrade-'))
  path = join(folder, 'carrel.db')
  copies = join(folder, 'upgrades')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const upgrade = async (migrations: readonly Migration[] = MIGRATIONS, now = Date.UTC(2026, 10, 24)) =>
  (await openForWriting({ path, now }, migrations)).close()

function ask<T>(sql: string, from = path): T[] {
  const db = new DatabaseSync(from, { readOnly: true })
  try {
    return db.prepare(sql).all() as T[]
  } finally {
    db.close()
  }
}

const schemaOf = (from = path) =>
  Number(ask<{ v: number }>('select max(version) as v from schema_versions', from)[0]?.v)
const tooMany = [...MIGRATIONS, nextMigration()]

it.each(MIGRATIONS.slice(0, -1).map((_, index) => index + 1))(
  'U1: data of schema %i becomes today’s with every row, after a copy',
  async (schema) => {
    await makeOldSqlite(path, schema)
    const events = ask('select * from events order by id')
    await upgrade()
    expect(schemaOf()).toBe(MIGRATIONS.length)
    expect(ask('select * from events order by id')).toEqual(events)
    expect(ask('select id from waiting_prompts')).toHaveLength(schema < 3 ? OLD_ROWS.waiting : 0)
    if (schema >= 6)
      expect(
        ask<{ settings: string }>('select settings from environment').map((row) => JSON.parse(row.settings)),
      ).toEqual([{ env: { TEXT: '"browser":false' }, browser: 'none', ports: ['web'] }])
    const [copy, ...others] = listCopies(copies).copies
    expect(others).toEqual([])
    expect(copy).toMatchObject({
      name: `2026-11-24T00-00-00-000Z-schema-${schema}`,
      manifest: { schema, reason: 'upgrade', counts: { events: OLD_ROWS.events } },
    })
    const kept = join(copy?.folder ?? '', 'carrel.db')
    expect([schemaOf(kept), ask('select * from events order by id', kept)]).toEqual([schema, events])
  },
)

it('U1: a new database is copied nowhere', async () => {
  await upgrade()
  await upgrade()
  expect(existsSync(copies)).toBe(false)
})

it('U1: a failing step changes nothing, is named, and the next try makes a copy of its day', async () => {
  await makeOldSqlite(path, 9)
  await upgrade()
  const broken = nextMigration({ steps: () => ['create table later (id text)', 'insert into nowhere values (1)'] })
  await expect(upgrade([...MIGRATIONS, broken], 86_400_000)).rejects.toThrow(
    /failed at step 0013-later: no such table: nowhere\. Nothing was changed.*upgrade check.* made is 1970-01-02T.*-schema-12/,
  )
  expect([schemaOf(), ask("select 1 from sqlite_schema where name = 'later'")]).toEqual([MIGRATIONS.length, []])
  // A day's work comes in between.
  const store = await openSqlite({ path })
  await store.tree.createWorkspace({ id: 'day' as never, name: 'Day', createdAt: 2, archivedAt: null }, 2)
  await store.close()
  await upgrade(tooMany, 2 * 86_400_000)
  const [copy] = listCopies(copies).copies.filter(({ name }) => name.startsWith('1970-01-03'))
  expect(ask('select id from workspaces order by id', join(copy?.folder ?? '', 'carrel.db'))).toEqual([
    { id: 'day' },
    { id: 'w' },
  ])
})

/** Today's migrations, of which the third does one thing too many. */
const withThird = (step: MigrationStep): Migration[] =>
  MIGRATIONS.map((migration) =>
    migration.name === '0003-fewer-pages'
      ? { ...migration, steps: (dialect) => [...migration.steps(dialect), step] }
      : migration,
  )

it('U1: lost rows stop the upgrade, with step, table, both figures and what to do', async () => {
  await makeOldSqlite(path, 2)
  const before = ask('select * from events order by id')
  const losing = withThird(async (tx) => void (await tx.run('delete from events where seq = 7')))
  await expect(upgrade(losing)).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringMatching(
      /step 0003-fewer-pages did not keep the table events: it would hold 29 rows instead of 30\. Nothing was changed/,
    ),
    data: { step: '0003-fewer-pages', table: 'events', before: { count: 30 }, after: { count: 29 } },
  })
  expect([schemaOf(), ask('select * from events order by id')]).toEqual([2, before])
  const changing = withThird("update events set data = '{}' where id = 7")
  await expect(upgrade(changing)).rejects.toThrow(/30 rows, but not the same ones/)
  expect([schemaOf(), ask('select * from events order by id')]).toEqual([2, before])
})

it('U1: colliding rows are named before anything is done, and nothing changes', async () => {
  await makeOldSqlite(path, 4)
  const db = new DatabaseSync(path)
  db.exec('create table ports (mine text); alter table runs add column spent_ms bigint; create table x (a)')
  db.exec('create index events_admitted on x (a)')
  db.close()
  const before = folderDigest(folder)
  await expect(upgrade()).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(
      /not upgraded from schema 4 to 12, and nothing was changed.*column spent_ms of runs.*table ports.*index events_admitted of events.*Rename or remove/,
    ),
  })
  expect(folderDigest(folder)).toEqual(before)
})

it('U1: rows that would break a unique index are shown before anything is done', async () => {
  await makeOldSqlite(path, MIGRATIONS.length)
  const next = nextMigration({ steps: () => ['create unique index one_text on events (session, type)'] })
  const before = folderDigest(folder)
  await expect(upgrade([...MIGRATIONS, next])).rejects.toThrow(
    /table events has several rows with the same session, type \(ses_1, agent\.update\)/,
  )
  expect(folderDigest(folder)).toEqual(before)
})

it('U2: a database of a newer Carrel is refused and stays unchanged', async () => {
  await upgrade(tooMany)
  const before = folderDigest(folder)
  await expect(openSqlite({ path })).rejects.toThrow(
    /newer Carrel wrote this database \(schema 13; this version knows 12\)/,
  )
  expect(folderDigest(folder)).toEqual(before)
})

it('U2: the newest copies stay, and failed tries do not displace the copy of an older schema', async () => {
  await makeOldSqlite(path, 9)
  await upgrade(MIGRATIONS, 1)
  const broken = nextMigration({ steps: () => ['insert into nowhere values (1)'] })
  for (let day = 1; day < 5; day += 1)
    await expect(upgrade([...MIGRATIONS, broken], day * 86_400_000)).rejects.toThrow(/nowhere/)
  expect(listCopies(copies).copies.map(({ name }) => name.slice(0, 10))).toEqual([
    '1970-01-05',
    '1970-01-04',
    '1970-01-01',
  ])
})

it('U2: a killed try leaves a part that counts as no copy, and the next try removes it', async () => {
  await makeOldSqlite(path, 9)
  mkdirSync(join(copies, '2026-01-01T00-00-00-000Z-schema-9.part'), { recursive: true })
  expect(listCopies(copies)).toEqual({ copies: [], unreadable: [] })
  await upgrade()
  expect(readdirSync(copies)).toEqual(['2026-11-24T00-00-00-000Z-schema-9'])
})

it('U2: a copy that was tampered with, or has no manifest, is distinguished from a whole one', async () => {
  await makeOldSqlite(path, 9)
  await upgrade()
  const [copy] = listCopies(copies).copies
  const name = copy?.name ?? ''
  expect((await readCopy(copies, name)).manifest).toEqual(copy?.manifest)
  const file = join(copies, name, 'carrel.db')
  const bytes = readFileSync(file)
  bytes[5_000] = (bytes[5_000] ?? 0) ^ 1
  writeFileSync(file, bytes)
  await expect(readCopy(copies, name)).rejects.toThrow(/has changed: the digest of carrel\.db differs/)
  rmSync(join(copies, name, 'manifest.json'))
  await expect(readCopy(copies, name)).rejects.toThrow(/manifest\.json is missing or cannot be read/)
  expect(listCopies(copies).unreadable.map((each) => each.name)).toEqual([name])
  await expect(readCopy(copies, '../elsewhere')).rejects.toMatchObject({ code: 'not_found' })
})

it('U1: unreadable stored items are reported and do not stop the upgrade', async () => {
  await makeOldSqlite(path, 1)
  const db = new DatabaseSync(path)
  const session = newSession()
  db.prepare("insert into folds (session, version, seq, view) values (?, ?, 1, '{}')").run(session, FOLD_VERSION)
  const insert = db.prepare('insert into items (session, n, json) values (?, ?, ?)')
  insert.run(session, 1, 'no json')
  insert.run(session, 2, '{"kind": "letter"}')
  db.close()
  const report = await checkSqlite({ path, copies, copy: 'make', carrel: 'test', say: () => undefined })
  expect(report).toMatchObject({
    state: 'ready',
    findings: [{ level: 'note', text: expect.stringMatching(/^2 stored items/) }],
  })
  await upgrade()
  expect([schemaOf(), ask('select n from items')]).toEqual([MIGRATIONS.length, [{ n: 1 }, { n: 2 }]])
})

it('U1: a person who confirms a copy elsewhere is believed', async () => {
  await makeOldSqlite(path, 9)
  ;(await openForWriting({ path, now: 1, upgrade: { copy: 'made' } })).close()
  expect([schemaOf(), existsSync(copies)]).toEqual([MIGRATIONS.length, false])
})
