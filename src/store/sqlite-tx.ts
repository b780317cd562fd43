import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { SQLITE } from './sql/dialect.ts'
import type { Tx } from './sql/tx.ts'
import type { Ring } from './store.ts'

/** `Tx` over one connection of node:sqlite. Statements are prepared once; rings go to `ring`. */
export function sqliteTx(db: DatabaseSync, ring: (ring: Ring) => void): Tx {
  const read = preparer(db, () => undefined)
  // A write also answers with the last row id, which the word index makes larger than a number of JavaScript holds.
  const write = preparer(db, (statement) => statement.setReadBigInts(true))
  const run = (sql: string, values: readonly SQLInputValue[]) => Number(write(sql).run(...values).changes)
  return {
    dialect: SQLITE,
    all: <R>(sql: string, ...values: SQLInputValue[]) => read(sql).all(...values) as R[],
    get: <R>(sql: string, ...values: SQLInputValue[]) => read(sql).get(...values) as R | undefined,
    run: (sql, ...values) => run(sql, values),
    insertMany(table, columns, rows, conflict = '') {
      const names = Object.keys(columns)
      const places = names.map((_, index) => `$${index + 1}`).join(', ')
      const sql = `insert into ${table} (${names.join(', ')}) values (${places}) ${conflict}`
      for (const row of rows) run(sql, row)
    },
    ring,
  }
}

function preparer(db: DatabaseSync, made: (statement: StatementSync) => void): (sql: string) => StatementSync {
  const statements = new Map<string, StatementSync>()
  return (sql) => {
    const known = statements.get(sql)
    if (known) return known
    // `$1` is a name to SQLite, `?1` a position.
    const statement = db.prepare(sql.replace(/\$(\d+)/g, '?$1'))
    made(statement)
    statements.set(sql, statement)
    return statement
  }
}
