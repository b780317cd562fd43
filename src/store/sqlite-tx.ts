import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { SQLITE } from './sql/dialect.ts'
import type { Tx } from './sql/tx.ts'
import type { Ring } from './store.ts'

/** `Tx` over one connection of node:sqlite. Statements are prepared once; rings go to `ring`. */
export function sqliteTx(db: DatabaseSync, ring: (ring: Ring) => void): Tx {
  const statements = new Map<string, StatementSync>()
  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql)
    if (known) return known
    // `$1` is a name to SQLite, `?1` a position.
    const statement = db.prepare(sql.replace(/\$(\d+)/g, '?$1'))
    statements.set(sql, statement)
    return statement
  }
  const run = (sql: string, values: readonly SQLInputValue[]) => Number(prepare(sql).run(...values).changes)
  return {
    dialect: SQLITE,
    all: <R>(sql: string, ...values: SQLInputValue[]) => prepare(sql).all(...values) as R[],
    get: <R>(sql: string, ...values: SQLInputValue[]) => prepare(sql).get(...values) as R | undefined,
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
