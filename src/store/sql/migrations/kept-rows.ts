import { hash } from 'node:crypto'
import { CarrelError } from '../../../model/errors.ts'
import type { Row, Tx, Value } from '../tx.ts'

/** How many rows, and a digest of them that does not depend on their order. */
export interface Tally {
  readonly count: number
  readonly digest: string
}

/** Rows of one table that a migration must keep: both tallies have to be the same. */
export interface Kept {
  /** The table as it is called afterwards. */
  readonly table: string
  before(tx: Tx): Promise<Tally>
  after(tx: Tx): Promise<Tally>
}

/** Rows of a table, in the order of a unique key. */
export interface RowsOf {
  readonly table: string
  /** Unique columns; rows are read in pages along them. */
  readonly key: readonly string[]
  readonly columns: readonly string[]
  /** An SQL condition; all rows where it is left out. */
  readonly where?: string
}

/** Rows of one page: enough to share a query, few enough that no table is held in memory. */
const PAGE = 1_000
/** Sums of digests are taken modulo 2^128: order does not matter, and a row that is there twice counts twice. */
const MODULUS = 1n << 128n

/** Tallies rows as they come. */
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

/** Tallies the named columns of all rows, a page at a time. `map` says how a row has to be read. */
export async function tallyRows(tx: Tx, rows: RowsOf, map: (row: Row) => Row = (row) => row): Promise<Tally> {
  const tally = createTally()
  for await (const row of eachRow(tx, rows)) {
    const mapped = map(row)
    tally.add(rows.columns.map((column) => mapped[column]))
  }
  return tally.result()
}

/** All rows in the order of their key; never more than a page of them is in memory. */
export async function* eachRow(tx: Tx, { table, key, columns, where = '1 = 1' }: RowsOf): AsyncGenerator<Row> {
  const names = [...new Set([...key, ...columns])].join(', ')
  const order = key.join(', ')
  const places = key.map((_, index) => `$${index + 1}`).join(', ')
  const select = `select ${names} from ${table} where ${where}`
  let last: Value[] | null = null
  for (;;) {
    const page: Row[] =
      last === null
        ? await tx.all(`${select} order by ${order} limit ${PAGE}`)
        : await tx.all(`${select} and (${order}) > (${places}) order by ${order} limit ${PAGE}`, ...last)
    yield* page
    const end = page.at(-1)
    if (end === undefined || page.length < PAGE) return
    last = key.map((column) => end[column] ?? null)
  }
}

/**
 * Says that `before` and `after` hold the same rows in the same columns. `turn` makes of a row from before what it is
 * to be afterwards, `read` brings equal values of both into equal form.
 */
export function sameRows(
  before: RowsOf,
  after: RowsOf,
  { turn = (row) => row, read = (row) => row }: { turn?: (row: Row) => Row; read?: (row: Row) => Row } = {},
): Kept {
  return {
    table: after.table,
    before: (tx) => tallyRows(tx, before, (row) => read(turn(row))),
    after: (tx) => tallyRows(tx, after, read),
  }
}

/**
 * Compares what was there before a migration with what is there after it.
 * @throws internal with step, table, both figures and the remedy where they differ
 */
export function expectKept(migration: string, table: string, before: Tally, after: Tally): void {
  if (before.count === after.count && before.digest === after.digest) return
  const figures =
    before.count === after.count
      ? `${before.count} rows, but not the same ones (digest ${after.digest.slice(0, 12)} instead of ${before.digest.slice(0, 12)})`
      : `${after.count} rows instead of ${before.count}`
  throw new CarrelError(
    'internal',
    `The upgrade step ${migration} did not keep the table ${table}: it would hold ${figures}. Nothing was changed. Go on with the earlier version of Carrel, and report this with the output of \`carrel upgrade check --json\`.`,
    { step: migration, table, before, after },
  )
}
