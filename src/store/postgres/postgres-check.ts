import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { ReportProgress } from '../../model/upgrade.ts'
import { stateOf, type UpgradeFinding, type UpgradeReport } from '../../model/upgrade.ts'
import { POSTGRES } from '../sql/dialect.ts'
import { effectsOfAll, tablesAfter } from '../sql/migrations/catalog.ts'
import { MIGRATIONS, schemaVersion } from '../sql/migrations/migrate.ts'
import type { Migration } from '../sql/migrations/migration.ts'
import { findLocked } from '../sql/migrations/statements.ts'
import { estimateOf, type Trial, type TrialSchema, tryMigrations } from '../sql/migrations/trial.ts'
import type { Tx } from '../sql/tx.ts'
import { sampleFailed } from '../upgrade/failures.ts'
import { connectOnce } from './postgres.ts'
import { fromPostgres } from './postgres-errors.ts'
import { postgresTx } from './postgres-tx.ts'
import {
  lookOver,
  type PostgresPlace,
  type PostgresUpgradeOptions,
  publicAddress,
  sizeOfTables,
} from './postgres-upgrade.ts'

interface Check extends PostgresPlace {
  readonly options: PostgresUpgradeOptions
  readonly now: number
  readonly say: ReportProgress
  readonly migrations?: readonly Migration[]
}

/**
 * Checks whether tables on a Postgres server can be upgraded, and estimates the effort. Only reads them. Tries a sample
 * in a new schema, in a transaction that is rolled back.
 * @throws unavailable when the server cannot be reached, or a newer Carrel wrote the tables
 */
export async function checkPostgres({ migrations = MIGRATIONS, ...check }: Check): Promise<UpgradeReport> {
  const { url, schema, options, now, say } = check
  const known = migrations.length
  const base = { engine: 'postgres', location: publicAddress(url), carrel: options.carrel } as const
  const nothing = { ...base, steps: [], room: [], estimate: null, locked: [], findings: [] } as const
  return await connectOnce(url, schema, async (client) => {
    say('checking the rows', 0, null)
    const result = await rolledBack(client, 'read only', async (tx) => {
      const version = await schemaVersion(tx, known)
      if (version === 0 || version === known) return { version, findings: [], room: [], bytes: 0 }
      const over = await lookOver({ tx, url, schema, now, version, migrations }, options)
      const bytes = await sizeOfTables({ tx, schema }, tablesAfter(migrations.slice(0, version), POSTGRES))
      return { version, bytes, ...over }
    })
    const { version, room, bytes } = result
    const findings: UpgradeFinding[] = [...result.findings]
    if (version === known) return { ...nothing, state: 'current', schema: { data: known, known } }
    if (version === 0) return { ...nothing, state: 'new', schema: { data: 0, known } }
    const pending = migrations.slice(version)
    const broken = findings.some(({ kind }) => kind === 'collision')
    if (!broken) say('measuring a sample', 0, null)
    const tried = broken ? null : await trySample(client, schema, version, migrations)
    if (tried && 'finding' in tried) findings.push(tried.finding)
    const copyMs = (msPerByte: number) => (options.copy === 'made' ? 0 : bytes * msPerByte)
    return {
      ...base,
      state: stateOf(findings),
      schema: { data: version, known },
      steps: pending.map(({ name, summary }) => ({ name, summary })),
      room,
      estimate: tried && 'trial' in tried ? estimateOf(tried.trial, copyMs(tried.msPerByte)) : null,
      locked: findLocked(effectsOfAll(pending, POSTGRES)),
      findings,
    }
  })
}

async function rolledBack<T>(client: pg.ClientBase, mode: string, use: (tx: Tx) => Promise<T>): Promise<T> {
  await client.query(`begin transaction ${mode}`)
  try {
    return await use(postgresTx(client))
  } finally {
    await client.query('rollback')
  }
}

/** Tries the migrations on a sample. Returns null when this user may not create a schema. */
async function trySample(
  client: pg.ClientBase,
  schema: string,
  version: number,
  migrations: readonly Migration[],
): Promise<{ trial: Trial; msPerByte: number } | { finding: UpgradeFinding } | null> {
  const open = async (): Promise<TrialSchema> => {
    const trial = `carrel_trial_${randomUUID().replaceAll('-', '')}`
    await client.query(`begin; create schema ${trial}; set local search_path to ${trial}`)
    return {
      tx: postgresTx(client),
      data: `"${schema}".`,
      // Others must not see the trial.
      async commit() {},
      async close() {
        await client.query('rollback')
      },
    }
  }
  try {
    const msPerByte = await measureRead(client)
    return { msPerByte, trial: await tryMigrations(open, version, migrations) }
  } catch (thrown) {
    await client.query('rollback')
    const { code } = (thrown ?? {}) as { code?: unknown }
    // A user without the right to create a schema can still upgrade the tables.
    if (code === '42501') return null
    return { finding: sampleFailed(fromPostgres(thrown).message) }
  }
}

/** Events are most of a copy. */
const READ = 'select data from events limit 5000'
/** Cost of a copy relative to one read: it is read, compressed and written, and read back. */
const READ_AGAIN = 3

/** Measures the ms per byte of a copy, including its verification. */
async function measureRead(client: pg.ClientBase): Promise<number> {
  const before = performance.now()
  const { rows } = await client.query<{ data: string }>(READ)
  const bytes = rows.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0)
  return (READ_AGAIN * (performance.now() - before)) / Math.max(65_536, bytes)
}
