import type { Tx } from '../tx.ts'
import { migrate } from './migrate.ts'
import type { Migration } from './migration.ts'
import { preflight } from './preflight.ts'

/** An empty schema to try migrations in, and a name for the schema with the data. */
export interface TrialGround {
  readonly tx: Tx
  /** Stands before the name of a table: `data.` */
  readonly data: string
  /** Brings what was tried to the disk, where the engine can do that and forget it again. */
  commit(): Promise<void>
  /** Removes what was tried. */
  close(): Promise<void>
}

/** Durations in milliseconds. `rows` are all rows of the tables that depend on them. */
export interface Trial {
  readonly fixedMs: number
  readonly sampleMs: number
  readonly sampleRows: number
  readonly rows: number
}

/** Rows of each table in a sample: with 2,000 the first calls, which are slow, made estimates twice too long. */
const SAMPLE = 10_000

/**
 * Measures migrations from `version` on: once on no rows, and once on the first rows of each table of the data, which
 * is only read. Whatever fails on the sample would fail on the data.
 */
export async function tryMigrations(
  open: () => Promise<TrialGround>,
  version: number,
  migrations: readonly Migration[],
): Promise<Trial> {
  const empty = await measure(open, version, migrations, 0)
  const filled = await measure(open, version, migrations, SAMPLE)
  return { fixedMs: empty.ms, sampleMs: filled.ms, sampleRows: filled.sampleRows, rows: filled.rows }
}

async function measure(
  open: () => Promise<TrialGround>,
  version: number,
  migrations: readonly Migration[],
  limit: number,
): Promise<{ ms: number; sampleRows: number; rows: number }> {
  const ground = await open()
  try {
    const { tx, data, commit } = ground
    await migrate(tx, 0, 0, migrations.slice(0, version))
    const sampled = limit === 0 ? { sampleRows: 0, rows: 0 } : await fill(tx, data, migrations.slice(version), limit)
    const before = performance.now()
    // A start looks the data over before it migrates it.
    await preflight(tx, migrations.slice(version))
    await migrate(tx, version, 0, migrations)
    await commit()
    return { ms: performance.now() - before, ...sampled }
  } finally {
    await ground.close()
  }
}

/** Copies the first rows of each table that the migrations read or write. */
async function fill(tx: Tx, data: string, pending: readonly Migration[], limit: number) {
  const tables = new Set(pending.flatMap(({ rewrites }) => rewrites?.(tx.dialect) ?? []))
  // A join on folds finds the items that are of today.
  if (tables.has('items')) tables.add('folds')
  const columns = await tx.all<{ owner: string; name: string }>(tx.dialect.columns)
  let [sampleRows, rows] = [0, 0]
  for (const table of tables) {
    const names = columns.flatMap(({ owner, name }) => (owner === table ? [name] : [])).join(', ')
    // A table that one of these migrations makes is not there yet.
    if (names === '') continue
    sampleRows += await tx.run(
      `insert into ${table} (${names}) ${tx.dialect.settingCounters} select ${names} from ${data}${table} limit ${limit}`,
    )
    rows += (await tx.get<{ n: number }>(`select count(*) as n from ${data}${table}`))?.n ?? 0
  }
  return { sampleRows, rows }
}
