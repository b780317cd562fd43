import { scaleSample, type UpgradeReport } from '../../../model/upgrade.ts'
import type { Tx } from '../tx.ts'
import { migrate } from './migrate.ts'
import type { Migration } from './migration.ts'
import { preflight } from './preflight.ts'

/** An empty schema for a trial of migrations, and access to the schema with the data. */
export interface TrialSchema {
  readonly tx: Tx
  /** The prefix of table names in the data: `data.` */
  readonly data: string
  /** Commits the trial to disk, where the engine can undo that afterwards. */
  commit(): Promise<void>
  close(): Promise<void>
}

/** Measured durations in ms. `rows` counts all rows of the tables whose size matters. */
export interface Trial {
  readonly fixedMs: number
  readonly sampleMs: number
  readonly sampleRows: number
  readonly rows: number
}

export const estimateOf = (trial: Trial, copyMs: number): UpgradeReport['estimate'] => ({
  copyMs: Math.round(copyMs),
  migrateMs: Math.round(scaleSample(trial)),
  sampleRows: trial.sampleRows,
})

/** Rows of each table in a sample: with 2,000, slow first calls made estimates twice too long. */
const SAMPLE = 10_000

/**
 * Measures migrations from `version` on: once without rows, and once on the first rows of each table. Only reads the
 * data. A failure on the sample would also be a failure on the data.
 */
export async function tryMigrations(
  open: () => Promise<TrialSchema>,
  version: number,
  migrations: readonly Migration[],
): Promise<Trial> {
  const empty = await measure(open, version, migrations, 0)
  const filled = await measure(open, version, migrations, SAMPLE)
  return { fixedMs: empty.ms, sampleMs: filled.ms, sampleRows: filled.sampleRows, rows: filled.rows }
}

async function measure(
  open: () => Promise<TrialSchema>,
  version: number,
  migrations: readonly Migration[],
  limit: number,
): Promise<{ ms: number; sampleRows: number; rows: number }> {
  const trial = await open()
  try {
    const { tx, data, commit } = trial
    await migrate(tx, { version: 0, now: 0, migrations: migrations.slice(0, version) })
    const sampled = limit === 0 ? { sampleRows: 0, rows: 0 } : await fill(tx, data, migrations.slice(version), limit)
    const before = performance.now()
    // A start also runs the preflight before the migrations.
    await preflight(tx, migrations.slice(version))
    await migrate(tx, { version, now: 0, migrations })
    await commit()
    return { ms: performance.now() - before, ...sampled }
  } finally {
    await trial.close()
  }
}

async function fill(tx: Tx, data: string, pending: readonly Migration[], limit: number) {
  const tables = new Set(pending.flatMap(({ rewrites }) => rewrites?.(tx.dialect) ?? []))
  // Items join folds to find the ones of the current version.
  if (tables.has('items')) tables.add('folds')
  const columns = await tx.all<{ owner: string; name: string }>(tx.dialect.columns)
  let [sampleRows, rows] = [0, 0]
  for (const table of tables) {
    const names = columns.flatMap(({ owner, name }) => (owner === table ? [name] : [])).join(', ')
    // The table is created by one of these migrations.
    if (names === '') continue
    sampleRows += await tx.run(
      `insert into ${table} (${names}) ${tx.dialect.settingCounters} select ${names} from ${data}${table} limit ${limit}`,
    )
    rows += (await tx.get<{ n: number }>(`select count(*) as n from ${data}${table}`))?.n ?? 0
  }
  return { sampleRows, rows }
}
