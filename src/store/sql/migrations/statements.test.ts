import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { sqliteTx } from '../../sqlite/sqlite-tx.ts'
import { POSTGRES, SQLITE } from '../dialect.ts'
import { effectsOfAll, readCatalog, tablesAfter } from './catalog.ts'
import { MIGRATIONS, migrate } from './migrate.ts'
import { effectsOf, findCollisions, findLocked } from './statements.ts'

/** Creates a catalog from tables with their indexes and columns. */
const catalog = (tables: Record<string, { indexes?: string[]; columns?: string[] }>) => ({
  relations: Object.entries(tables).flatMap(([owner, { indexes = [] }]) => [
    { name: owner, kind: 'table', owner },
    ...indexes.map((name) => ({ name, kind: 'index', owner })),
  ]),
  columns: Object.entries(tables).flatMap(([owner, { columns = [] }]) => columns.map((name) => ({ owner, name }))),
})

describe('collisions', () => {
  it.each([
    ['a table', ['create table a (x text)'], { a: {} }, ['table a']],
    ['an index of another table', ['create index i on a (x)'], { a: {}, b: { indexes: ['i'] } }, ['index i']],
    ['a column', ['alter table a add column x text'], { a: { columns: ['x'] } }, ['column x']],
    ['none', ['create table b (x text)', 'alter table a add column y text'], { a: { columns: ['x'] } }, []],
    ['a table that is dropped before', ['drop table a', 'create table a (x text)'], { a: { indexes: ['i'] } }, []],
    ['its indexes', ['drop table a', 'create table a (x)', 'create index i on a (x)'], { a: { indexes: ['i'] } }, []],
    [
      'a table that is recreated',
      ['create table b (x)', 'drop table a', 'alter table b rename to a', 'create index i on a (x)'],
      { a: { indexes: ['i'] } },
      [],
    ],
    ['a temporary name', ['create table plain_a (x)'], { plain_a: {} }, ['table plain_a']],
    ['a table that FTS5 creates', ['create virtual table w using fts5(x)'], { w_idx: {} }, ['table w_idx']],
  ])('%s', (_, statements, tables, names) => {
    const found = findCollisions(catalog(tables as never), statements.flatMap(effectsOf))
    expect(found.map(({ what, name }) => `${what} ${name}`)).toEqual(names)
  })
})

it('only tables from before the migrations are locked, not created ones', () => {
  const statements = [
    'create table b (x)',
    'insert into b select x from a',
    'drop table a',
    'alter table b rename to a',
  ]
  expect(findLocked([...statements, 'create index i on a (x)', 'update c set x = 1'].flatMap(effectsOf))).toEqual([
    'a',
    'c',
  ])
})

it('a statement of an unknown kind is refused', () => {
  expect(() => effectsOf('truncate events')).toThrow(/unknown kind: truncate events/)
})

it.each([SQLITE, POSTGRES])('every statement of every migration is understood ($name)', (dialect) => {
  expect(effectsOfAll(MIGRATIONS, dialect).length).toBeGreaterThan(60)
})

it('tablesAfter returns the tables that really exist after each migration', async () => {
  const db = new DatabaseSync(':memory:')
  const tx = sqliteTx(db)
  for (let version = 0; version < MIGRATIONS.length; version += 1) {
    await migrate(tx, { version, now: 1, migrations: MIGRATIONS.slice(0, version + 1) })
    const { relations } = await readCatalog(tx)
    const tables = relations.flatMap(({ name, kind }) => (kind === 'table' ? [name] : []))
    expect(tablesAfter(MIGRATIONS.slice(0, version + 1), SQLITE)).toEqual(
      tables.filter((name) => !/^(sqlite_|item_words)/.test(name)).sort(),
    )
  }
  db.close()
})

it('names of migrations are their numbers and files', () => {
  expect(MIGRATIONS.map(({ name }) => name.slice(0, 5))).toEqual(
    MIGRATIONS.map((_, index) => `${String(index + 1).padStart(4, '0')}-`),
  )
  for (const { summary } of MIGRATIONS) expect(summary).toMatch(/^[A-Z].*\.$/)
})
