import { hash } from 'node:crypto'
import { CarrelError } from '../../../model/errors.ts'
import type { SqlRow, SqlValue, Tx } from '../tx.ts'

/** A count of rows, and a digest that does not depend on their order. */
export interface Tally {
  readonly count: number
  readonly digest: string
}

/** Rows of one table that a migration must keep: their tallies before and after must be equal. */
export interface KeptRows {
  /** The name of the table after the migration. */
  readonly table: string
  before(tx: Tx): Promise<Tally>
  after(tx: Tx): Promise<Tally>
}

/** Rows of a table, in the order of a unique key. */
export interface RowsOf {
  readonly table: string
  /** Unique columns. Pages follow their order. */
  readonly key: readonly string[]
  readonly columns: readonly string[]
  /** An SQL condition; without it, all rows. */
  readonly where?: string
}

/** Rows in one page: enough to share a query, few enough for memory. */
const PAGE = 1_000
/** Digests are summed modulo 2^128, so that order does not matter and a doubled row counts twice. */
const MODULUS = 1n << 128n

export function createTally(): { add(values: unknown): void; result(): Tally } {
  let count = 0
  let sum = 0n
  return {
    add(values) {
      count += 1
      sum = (sum + BigInt(`0x${hash('sha256', JSON.stringify(values), 'hex').slice(0, 32)}`)) % MODULUS
    },
    result: () => ({ count, digest: sum.toString(16).padStart(32, '0') }),
  }
}

export async function tallyRows(tx: Tx, rows: RowsOf, map: (row: SqlRow) => SqlRow = (row) => row): Promise<Tally> {
  const tally = createTally()
  for await (const row of eachRow(tx, rows)) {
    const mapped = map(row)
    tally.add(rows.columns.map((column) => mapped[column]))
  }
  return tally.result()
}

export async function* eachRow(tx: Tx, { table, key, columns, where = '1 = 1' }: RowsOf): AsyncGenerator<SqlRow> {
  const names = [...new Set([...key, ...columns])].join(', ')
  const order = key.join(', ')
  const placeholders = key.map((_, index) => `$${index + 1}`).join(', ')
  const select = `select ${names} from ${table} where ${where}`
  let last: SqlValue[] | null = null
  for (;;) {
    const page: SqlRow[] =
      last === null
        ? await tx.all(`${select} order by ${order} limit ${PAGE}`)
        : await tx.all(`${select} and (${order}) > (${placeholders}) order by ${order} limit ${PAGE}`, ...last)
    yield* page
    const end = page.at(-1)
    if (end === undefined || page.length < PAGE) return
    last = key.map((column) => end[column] ?? null)
  }
}

/**
 * Returns the check that `before` and `after` hold the same rows in the same columns. `turn` converts a row from before
 * into its form after the migration; `read` normalizes equal values of both.
 */
export function sameRows(
  before: RowsOf,
  after: RowsOf,
  { turn = (row) => row, read = (row) => row }: { turn?: (row: SqlRow) => SqlRow; read?: (row: SqlRow) => SqlRow } = {},
): KeptRows {
  return {
    table: after.table,
    before: (tx) => tallyRows(tx, before, (row) => read(turn(row))),
    after: (tx) => tallyRows(tx, after, read),
  }
}

/** Compares the tallies of a table. @throws internal with step, table, both figures and the remedy */
export function expectKept(migration: string, table: string, before: Tally, after: Tally): void {
  if (before.count === after.count && before.digest === after.digest) return
  const figures =
    before.count === after.count
      ? `${before.count} rows, but not the same ones (digest ${after.digest.slice(0, 12)} instead of ${before.digest.slice(0, 12)})`
      : `${after.count} rows instead of ${before.count}`
  const message = `The upgrade step ${migration} did not keep the table ${table}: it would hold ${figures}. Nothing was changed. Continue with the earlier version of Carrel, and report this with the output of \`carrel upgrade check --json\`.`
  throw new CarrelError('internal', message, { step: migration, table, before, after })
}
