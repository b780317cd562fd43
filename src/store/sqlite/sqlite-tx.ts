import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { SQLITE } from '../sql/dialect.ts'
import type { Tx } from '../sql/tx.ts'

export function sqliteTx(db: DatabaseSync): Tx {
  const read = preparer(db, rowsOf)
  // A write also returns the last row id, and the word index makes ids beyond 2^53.
  const write = preparer(db, (statement) => {
    statement.setReadBigInts(true)
    return statement
  })
  const run = (sql: string, values: readonly SQLInputValue[]) => Number(write(sql).run(...values).changes)
  return {
    dialect: SQLITE,
    all: <R>(sql: string, ...values: SQLInputValue[]) => read(sql).all(values) as R[],
    get: <R>(sql: string, ...values: SQLInputValue[]) => read(sql).get(values) as R | undefined,
    run: (sql, ...values) => run(sql, values),
    insertMany(table, columns, rows, conflict = '') {
      const names = Object.keys(columns)
      const placeholders = names.map((_, index) => `$${index + 1}`).join(', ')
      const sql = `insert into ${table} (${names.join(', ')}) values (${placeholders}) ${conflict}`
      for (const row of rows) run(sql, row)
    },
    lines: [],
    rings: [],
  }
}

interface Rows {
  all(values: readonly SQLInputValue[]): unknown[]
  get(values: readonly SQLInputValue[]): unknown
}

/**
 * Reads rows as arrays and builds the objects here. Objects of node:sqlite are dictionaries without a hidden class,
 * which make a long read 50 % slower, and a copy of the rows 100 %.
 */
function rowsOf(statement: StatementSync): Rows {
  statement.setReturnArrays(true)
  const names = statement.columns().map(({ name }) => name)
  const toRow = (values: unknown) => {
    const row: Record<string, unknown> = {}
    for (let column = 0; column < names.length; column += 1)
      row[names[column] as string] = (values as unknown[])[column]
    return row
  }
  return {
    all: (values) => statement.all(...values).map(toRow),
    get(values) {
      const found: unknown = statement.get(...values)
      return found === undefined ? undefined : toRow(found)
    },
  }
}

function preparer<T>(db: DatabaseSync, prepare: (statement: StatementSync) => T): (sql: string) => T {
  const statements = new Map<string, T>()
  return (sql) => {
    const known = statements.get(sql)
    if (known) return known
    // SQLite takes `$1` for a name and `?1` for a position.
    const statement = prepare(db.prepare(sql.replace(/\$(\d+)/g, '?$1')))
    statements.set(sql, statement)
    return statement
  }
}
