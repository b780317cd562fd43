import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { sqliteTx } from './sqlite-tx.ts'

it('a write returns its own number of rows, whatever row id an index left behind', () => {
  const db = new DatabaseSync(':memory:')
  db.exec('create table inside (id integer primary key); create table rows (name text)')
  const tx = sqliteTx(db)
  tx.run('insert into rows (name) values ($1)', 'one')
  // The full-text index does the same when it merges at a commit: its own tables have ids beyond 2^53.
  db.exec('insert into inside (id) values (9009398277996544)')
  expect(tx.run('update rows set name = $1', 'two')).toBe(1)
  expect(tx.run('delete from rows where name = $1', 'none')).toBe(0)
  expect(tx.get('select name, count(*) as many from rows')).toEqual({ name: 'two', many: 1 })
})
