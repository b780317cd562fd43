import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { SQLITE } from '../sql/dialect.ts'
import type { Tx } from '../sql/tx.ts'

/** `Tx` over one connection of node:sqlite. Statements are prepared once. */
export function sqliteTx(db: DatabaseSync): Tx {
  const read = preparer(db, rowsOf)
  // A write also answers with the last row id, which the word index makes larger than a number of JavaScript holds.
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
      const places = names.map((_, index) => `$${index + 1}`).join(', ')
      const sql = `insert into ${table} (${names.join(', ')}) values (${places}) ${conflict}`
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
 * Rows come as arrays and are made objects here: those that node:sqlite makes are dictionaries without a shape, which
 * cost a long read half as much again, and twice as much where they are copied.
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

function preparer<T>(db: DatabaseSync, made: (statement: StatementSync) => T): (sql: string) => T {
  const statements = new Map<string, T>()
  return (sql) => {
    const known = statements.get(sql)
    if (known) return known
    // `$1` is a name to SQLite, `?1` a position.
    const statement = made(db.prepare(sql.replace(/\$(\d+)/g, '?$1')))
    statements.set(sql, statement)
    return statement
  }
}
