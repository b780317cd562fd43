import { fork } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openPostgres } from '../../src/store/postgres/postgres.ts'
import { backPostgres, previewBackPostgres } from '../../src/store/postgres/postgres-back.ts'
import { checkPostgres } from '../../src/store/postgres/postgres-check.ts'
import { type PostgresUpgradeOptions, postgresFailure } from '../../src/store/postgres/postgres-upgrade.ts'
import { POSTGRES } from '../../src/store/sql/dialect.ts'
import { tablesAfter } from '../../src/store/sql/migrations/catalog.ts'
import { MIGRATIONS } from '../../src/store/sql/migrations/migrate.ts'
import { openForWriting } from '../../src/store/sqlite/sqlite-writer.ts'
import { listCopies } from '../../src/store/upgrade/copies.ts'
import { createDatabase, createDatabaseOn, type TestDatabase } from '../support/database.ts'
import { makeOldPostgres, makeOldSqlite, OLD_ROWS } from '../support/old-database.ts'
import { type PostgresServer, startPostgresWithTools } from '../support/postgres.ts'

/** An upgrade of tables on a Postgres server: `pg_dump` copies them, or a person confirms that a copy exists. */
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'carrel-upgrade-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const NOW = Date.UTC(2026, 10, 24)
const how = (more: Partial<PostgresUpgradeOptions> = {}): PostgresUpgradeOptions => ({
  copies: join(folder, 'upgrades'),
  copy: 'make',
  carrel: 'test',
  holder: 'node:own',
  env: { PATH: process.env.PATH },
  ...more,
})

async function open(url: string, upgrade: PostgresUpgradeOptions): Promise<void> {
  await (await openPostgres({ url, upgrade, now: () => NOW })).close()
}

async function query<T extends pg.QueryResultRow>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return (await client.query<T>(sql).finally(() => client.end())).rows
}

const TABLES = "select tablename::text as name from pg_tables where schemaname = 'public' order by 1"
const CATALOG = 'select oid, relname from pg_class where oid > 16384 order by oid'
const EVENTS = 'select session, seq, data from events order by id'
/** Puts a copy of the other engine among those of this one. */
async function sqliteCopy(copies: string): Promise<string> {
  const path = join(folder, 'carrel.db')
  await makeOldSqlite(path, 9)
  ;(await openForWriting({ path, now: 1, upgrade: { copies } })).close()
  return listCopies(copies).copies.find(({ manifest }) => manifest.engine === 'sqlite')?.name ?? ''
}

const schemaOf = async (url: string) =>
  Number((await query<{ v: number }>(url, 'select max(version) as v from schema_versions'))[0]?.v)

it('U1: a full disk of the server is reported, with the room that is needed', () => {
  const room = [{ where: 'the Postgres server', neededBytes: 8_388_608, freeBytes: null }]
  expect(postgresFailure({ code: '53100' }, 'step 0003-fewer-pages', room)).toMatchObject({
    code: 'unavailable',
    message:
      'The disk of the Postgres server became full during step 0003-fewer-pages of the upgrade, and nothing was changed. The upgrade needs up to 8 MiB on the disk of the Postgres server. Make room, then start Carrel again.',
  })
})

describe('on a server without a matching pg_dump', () => {
  let database: TestDatabase
  beforeEach(async ({ skip }) => {
    const made = await createDatabase()
    if ('skipped' in made) return skip(made.skipped)
    database = made
  })
  afterEach(async () => {
    await database?.drop()
  })

  it('U2: the upgrade is refused with a message, also with an older pg_dump, unless a person confirms that a copy exists', async () => {
    const { url } = database
    await makeOldPostgres(url, 9)
    const before = await query(url, EVENTS)
    const none = how({ env: { PATH: folder }, toolFolders: [] })
    expect(await checkPostgres({ url, schema: 'public', options: none, now: NOW, say: () => undefined })).toMatchObject(
      {
        state: 'blocked',
        findings: [{ kind: 'copy', next: expect.stringMatching(/postgresql-client-\d+/) }],
      },
    )
    await expect(open(url, none)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/not upgraded from schema 9 to 12.*CARREL_UPGRADE_COPY=made/),
    })
    for (const program of ['pg_dump', 'pg_restore', 'psql'])
      writeFileSync(join(folder, program), '#!/bin/sh\necho "pg_dump (PostgreSQL) 9.6"\n', { mode: 0o755 })
    await expect(open(url, how({ env: { PATH: `${folder}:/bin` }, toolFolders: [] }))).rejects.toThrow(
      /pg_dump of version (9|9, 15) cannot copy from a Postgres server of version \d+/,
    )
    await expect(openPostgres({ url })).rejects.toThrow(/The folder for a copy is not set/)
    expect([await schemaOf(url), await query(url, EVENTS)]).toEqual([9, before])
    await open(url, how({ copy: 'made' }))
    expect([await schemaOf(url), await query(url, EVENTS)]).toEqual([MIGRATIONS.length, before])
    expect(existsSync(join(folder, 'upgrades'))).toBe(false)
  })

  it.each([1, 2, 3, 6])('U1: data of schema %i becomes today’s with every row', async (schema) => {
    const { url } = database
    await makeOldPostgres(url, schema)
    const before = await query(url, EVENTS)
    await open(url, how({ copy: 'made' }))
    expect([await schemaOf(url), await query(url, EVENTS)]).toEqual([MIGRATIONS.length, before])
    expect(await query(url, 'select id from waiting_prompts')).toHaveLength(schema < 3 ? OLD_ROWS.waiting : 0)
    if (schema >= 6)
      expect(await query(url, `select settings::json ->> 'browser' as browser from environment`)).toEqual([
        { browser: 'none' },
      ])
  })

  it('U1: living nodes are named and block the upgrade, by connection and by lease; the node’s own earlier life does not', async () => {
    const { url } = database
    await makeOldPostgres(url, 9)
    const lease = (key: string, holder: string, until: number) =>
      query(url, `insert into leases values ('${key}', '${holder}', 1, ${until})`)
    await lease('a', 'node:own', NOW + 1)
    await lease('b', 'node:dead', NOW)
    await open(url, how({ copy: 'made' }))
    await query(url, 'delete from schema_versions where version > 9; alter table environment rename to surroundings')
    await lease('c', 'node:other', NOW + 60_000)
    const older = new pg.Client({ connectionString: url, application_name: 'carrel' })
    await older.connect()
    await expect(open(url, how({ copy: 'made' }))).rejects.toThrow(
      /A Carrel at 127\.0\.0\.1 is connected to the database \(1 connection\)\. Stop that Carrel\..*node other holds 1 lease until 2026-11-24T00:01:00/,
    )
    await older.end()
    expect(await schemaOf(url)).toBe(9)
  })

  it('U1: several nodes that start at once on older tables upgrade them once', async () => {
    const { url } = database
    await makeOldPostgres(url, 9)
    const stores = await Promise.all(
      [1, 2, 3].map(() => openPostgres({ url, upgrade: how({ copy: 'made' }), poolSize: 2 })),
    )
    await Promise.all(stores.map((store) => store.close()))
    expect(await query(url, 'select version from schema_versions where version = 12')).toHaveLength(1)
  })

  it('U1: colliding rows are named before anything is done', async () => {
    const { url } = database
    await makeOldPostgres(url, 4)
    await query(url, 'create table ports (mine text)')
    await expect(open(url, how({ copy: 'made' }))).rejects.toThrow(
      /table ports, but the database already has a foreign one of that name/,
    )
    await query(url, 'drop table schema_versions')
    await expect(open(url, how())).rejects.toThrow(/Carrel made no tables, and nothing was changed.*table workspaces/)
  })
})

describe('on a server that pg_dump can copy from', () => {
  let server: PostgresServer & { readonly bin: string }
  let database: TestDatabase
  beforeAll(async () => {
    const started = await startPostgresWithTools()
    if (!('skipped' in started)) server = started
    else reason = started.skipped
  })
  let reason = ''
  beforeEach(async ({ skip }) => {
    if (reason !== '') return skip(reason)
    database = await createDatabaseOn(server.url)
  })
  afterEach(async () => {
    await database?.drop()
  })
  afterAll(() => server?.stop())

  it('U1, U2: the tables are copied, the copy is read and counted, and then the tables are upgraded', async () => {
    const { url } = database
    await makeOldPostgres(url, 2)
    const before = await query(url, EVENTS)
    const upgrade = how({ env: { PATH: server.bin } })
    await query(url, 'create table foreign_to_carrel (a text)')
    await open(url, upgrade)
    expect([await schemaOf(url), await query(url, EVENTS)]).toEqual([MIGRATIONS.length, before])
    const [copy] = listCopies(upgrade.copies).copies
    expect(copy?.manifest).toMatchObject({
      engine: 'postgres',
      schema: 2,
      file: 'carrel.pgdump',
      counts: { events: OLD_ROWS.events, prompts: OLD_ROWS.prompts, schema_versions: 2 },
    })
    expect(copy?.manifest.counts).not.toHaveProperty('foreign_to_carrel')
    expect(JSON.stringify(copy?.manifest)).not.toContain(new URL(url).password)
  })

  it('U2: a restore of a copy lists the losses, removes newer tables, and can itself be reverted', async () => {
    const { url } = database
    await makeOldPostgres(url, 2)
    const before = await query(url, EVENTS)
    const options = how({ env: { PATH: server.bin } })
    await open(url, options)
    await query(url, `insert into workspaces (id, name, created_at) values ('new', 'New', ${NOW + 1})`)
    await query(url, 'create table foreign_to_carrel (a text); grant select on events to public')
    const [{ name = '' } = {}] = listCopies(options.copies).copies
    const back = { url, schema: 'public', name, options, now: NOW + 2, say: () => undefined }
    expect(await previewBackPostgres(back)).toMatchObject({
      present: MIGRATIONS.length,
      loss: { workspaces: 1, events: 0 },
    })
    const { aside } = await backPostgres(back)
    expect([await schemaOf(url), await query(url, EVENTS)]).toEqual([2, before])
    expect(await query(url, 'select id from workspaces')).toEqual([{ id: 'w' }])
    const tables = (await query<{ name: string }>(url, TABLES)).map((row) => row.name)
    expect(tables).toEqual([...tablesAfter(MIGRATIONS.slice(0, 2), POSTGRES), 'foreign_to_carrel'].sort())
    // Keys continue behind the last one.
    await query(url, "insert into events (session, seq, at, type, data) values ('ses_1', 31, 1, 'x', '{}')")
    await backPostgres({ ...back, name: aside?.name ?? '', now: NOW + 3 })
    expect([await schemaOf(url), await query(url, EVENTS)]).toEqual([MIGRATIONS.length, before])
    expect(await query(url, 'select id from workspaces order by id')).toEqual([{ id: 'new' }, { id: 'w' }])
    await open(url, options)
  })

  it('U2: a damaged copy, living nodes, and objects that depend on a table are refused, and nothing changes', async () => {
    const { url } = database
    await makeOldPostgres(url, 9)
    const options = how({ env: { PATH: server.bin } })
    await open(url, options)
    const [copy] = listCopies(options.copies).copies
    const back = { url, schema: 'public', name: copy?.name ?? '', options, now: NOW, say: () => undefined }
    const refused = async (words: RegExp, more: Partial<typeof back> = {}) => {
      await expect(backPostgres({ ...back, ...more })).rejects.toThrow(words)
      expect(await schemaOf(url)).toBe(MIGRATIONS.length)
    }
    const node = await openPostgres({ url, upgrade: options })
    await refused(/A Carrel at 127\.0\.0\.1 is connected/)
    await node.close()
    await query(url, 'create view hanging as select id from events')
    await refused(/not restored, and nothing was changed.*view hanging depends on table/s)
    await query(url, 'drop view hanging')
    await refused(/is of an SQLite database/, { name: await sqliteCopy(options.copies) })
    const file = join(copy?.folder ?? '', 'carrel.pgdump')
    const bytes = readFileSync(file)
    writeFileSync(file, bytes.subarray(0, bytes.length - 10))
    await refused(/has changed: the digest/)
  })

  it('U1: kill -9 in the middle leaves the tables unchanged, and the next start makes a copy of its own', async () => {
    const { url } = database
    await makeOldPostgres(url, 2)
    const before = await query(url, EVENTS)
    const child = fork(new URL('../support/upgrade-postgres-child.ts', import.meta.url), [url, folder, '0003'], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...process.env, PATH: server.bin },
    })
    await new Promise((resolve, reject) => {
      child.once('message', resolve)
      child.once('exit', () => reject(new Error('it ended before its step')))
    })
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
    expect([await schemaOf(url), await query(url, EVENTS)]).toEqual([2, before])
    const options = how({ env: { PATH: server.bin } })
    await open(url, options)
    expect([await schemaOf(url), await query(url, EVENTS)]).toEqual([MIGRATIONS.length, before])
    expect(listCopies(options.copies).copies.map(({ manifest }) => manifest.schema)).toEqual([2, 2])
  })

  it('U1, U2: a failing step is named with its copy and the remedy, and the next try makes a copy of its day', async () => {
    const { url } = database
    await makeOldPostgres(url, 9)
    const options = how({ env: { PATH: server.bin } })
    const refusing =
      "create function refuse() returns event_trigger language plpgsql as $$ begin raise 'not today'; end $$"
    await query(
      url,
      `${refusing}; create event trigger refusing on ddl_command_start when tag in ('ALTER TABLE') execute function refuse()`,
    )
    const failed = open(url, options)
    await expect(failed).rejects.toThrow(
      /failed at step 0011-names: not today\. Nothing was changed\. Continue with the earlier version.*made is 2026-11-24T.*-schema-9/,
    )
    await query(url, 'drop event trigger refusing; drop function refuse()')
    expect(await schemaOf(url)).toBe(9)
    // A day's work comes in between.
    await query(url, `insert into workspaces (id, name, created_at) values ('day', 'Day', ${NOW + 1})`)
    await (await openPostgres({ url, upgrade: options, now: () => NOW + 86_400_000 })).close()
    const [fresh, first] = listCopies(options.copies).copies
    expect([fresh?.manifest.at, first?.manifest.at]).toEqual([NOW + 86_400_000, NOW])
    expect([fresh?.manifest.counts.workspaces, first?.manifest.counts.workspaces]).toEqual([2, 1])
    const name = fresh?.name ?? ''
    await backPostgres({ url, schema: 'public', name, options, now: NOW + 172_800_000, say: () => undefined })
    expect(await query(url, 'select id from workspaces order by id')).toEqual([{ id: 'day' }, { id: 'w' }])
  })

  it('a check lists what is to be done and by whom, and leaves the database unchanged', async () => {
    const { url } = database
    await makeOldPostgres(url, 2)
    const options = how({ env: { PATH: server.bin } })
    const look = () => checkPostgres({ url, schema: 'public', options, now: NOW, say: () => undefined })
    const before = [await query(url, CATALOG), await query(url, EVENTS)]
    expect(await look()).toMatchObject({
      state: 'ready',
      schema: { data: 2, known: MIGRATIONS.length },
      steps: MIGRATIONS.slice(2).map(({ name, summary }) => ({ name, summary })),
      estimate: { sampleRows: OLD_ROWS.prompts + OLD_ROWS.events + OLD_ROWS.sessions },
      locked: ['events', 'projects', 'prompts', 'runs', 'sessions', 'spaces'],
      findings: [],
    })
    const older = new pg.Client({ connectionString: url, application_name: 'carrel' })
    await older.connect()
    expect(await look()).toMatchObject({ state: 'stop first', findings: [{ kind: 'node' }] })
    await older.end()
    expect([await query(url, CATALOG), await query(url, EVENTS)]).toEqual(before)
    await open(url, options)
    expect(await look()).toMatchObject({ state: 'current' })
  })
})
