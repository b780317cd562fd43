import pg from 'pg'
import { CarrelError } from '../../model/errors.ts'
import type { ReportProgress } from '../../model/upgrade.ts'
import { KNOWN_SCHEMA, MIGRATIONS, schemaVersion } from '../sql/migrations/migrate.ts'
import { counts, methodsOver, type Port, runRead, runWrites, type StoreCounts } from '../sql/operations.ts'
import { coalesce, type Tx } from '../sql/tx.ts'
import type { Ring, Store, StoreStats } from '../store.ts'
import { fromPostgres, mayRetry } from './postgres-errors.ts'
import { applicationName, OPENING } from './postgres-nodes.ts'
import { postgresTx } from './postgres-tx.ts'
import type { PostgresUpgradeOptions } from './postgres-upgrade.ts'

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string
  /** The schema that holds the tables. Created where it is missing. */
  readonly schema?: string | undefined
  readonly poolSize?: number | undefined
  readonly now?: (() => number) | undefined
  /** Options of an upgrade. Without them older tables are refused: the folder of the copy is unknown. */
  readonly upgrade?: PostgresUpgradeOptions | undefined
  readonly say?: ReportProgress | undefined
}

const TRIES = 8
/** The advisory lock of migrations: nodes that start together migrate one after the other. An arbitrary number. */
export const MIGRATION_LOCK = 4_747_001

/**
 * Opens the store on a Postgres server that several nodes may share.
 * @throws unavailable when the server cannot be reached, or a newer Carrel wrote the tables
 * @throws bad_input when `schema` is not a plain name
 */
export async function openPostgres(options: PostgresOptions): Promise<Store> {
  const { url, schema = 'public', poolSize = 10 } = options
  const pool = createPool(url, schema, poolSize)
  const listeners = new Set<(ring: Ring) => void>()
  try {
    await prepare(pool, schema, options)
  } catch (error) {
    await pool.end()
    throw fromPostgres(error)
  }
  const reads = postgresTx(pool)
  const port: Port = {
    async write(name, args) {
      const { result, rings } = await transact(pool, (tx) => runWrites(tx, [{ name, args }]))
      for (const ring of coalesce(rings)) for (const listener of listeners) listener(ring)
      return result[0]
    },
    read: (name, args) => runRead(reads, name, args).catch(rethrow),
  }
  return {
    engine: 'postgres',
    ...methodsOver(port),
    onAppend(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async backup() {
      throw new CarrelError('unavailable', 'Postgres has its own backup tools: use pg_dump.')
    },
    stats: async () => statsOf(pool, url, await counts(reads).catch(rethrow)),
    async close() {
      listeners.clear()
      if (!pool.ended) await pool.end()
    },
  }
}

function rethrow(error: unknown): never {
  throw fromPostgres(error)
}

function createPool(url: string, schema: string, max: number): pg.Pool {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new CarrelError('bad_input', 'The name of a schema has lower-case letters, digits and _ only.', { schema })
  }
  const pool = new pg.Pool({
    connectionString: url,
    max,
    options: `-c search_path=${schema}`,
    application_name: OPENING,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    types: { getTypeParser: parserFor },
  })
  // The pool replaces a broken connection, and its queries reject. Without a listener the error would end the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => void client.on('error', () => {}))
  return pool
}

/**
 * Runs `use` over one connection to a database. Other nodes do not count the connection as a node.
 * @throws unavailable when the server cannot be reached
 */
export async function connectOnce<T>(
  url: string,
  schema: string,
  use: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const pool = createPool(url, schema, 1)
  try {
    const client = await pool.connect()
    return await use(client).finally(() => client.release())
  } catch (thrown) {
    throw fromPostgres(thrown)
  } finally {
    await pool.end()
  }
}

const INT8 = 20

/** Reads int8 as a number: counts, times and event numbers stay far below 2^53. */
const parserFor: pg.CustomTypesConfig['getTypeParser'] = (oid, format) =>
  oid === INT8 ? (text: string) => Number(text) : pg.types.getTypeParser(oid, format)

async function prepare(
  pool: pg.Pool,
  schema: string,
  { url, now, upgrade, say = () => undefined }: PostgresOptions,
): Promise<void> {
  await transact(pool, async (tx) => {
    await tx.get('select pg_advisory_xact_lock($1)', MIGRATION_LOCK)
    const existing = await tx.get('select 1 as existing from pg_namespace where nspname = $1', schema)
    if (!existing) await tx.run(`create schema ${schema}`)
    const version = await schemaVersion(tx)
    if (version < KNOWN_SCHEMA) {
      // Loaded on demand: most starts find the current schema.
      const { upgradePostgres } = await import('./postgres-upgrade.ts')
      const whole = { tx, url, schema, version, now: now?.() ?? 0, migrations: MIGRATIONS, say }
      await upgradePostgres(whole, upgrade ?? null)
    }
    // The connection counts as a node from the commit on.
    await tx.run(`set application_name = '${applicationName(schema)}'`)
  })
  pool.options.application_name = applicationName(schema)
}

interface Committed<T> {
  readonly result: T
  readonly rings: readonly Ring[]
}

/** Runs a transaction, and repeats it after a conflict with others. Drops the rings of failed tries. */
async function transact<T>(pool: pg.Pool, body: (tx: Tx) => Promise<T>): Promise<Committed<T>> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await once(pool, body)
    } catch (error) {
      if (!mayRetry(error) || tries === TRIES) throw fromPostgres(error)
    }
  }
}

async function once<T>(pool: pg.Pool, body: (tx: Tx) => Promise<T>): Promise<Committed<T>> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query('begin')
    const tx = postgresTx(client)
    const result = await body(tx)
    await client.query('commit')
    return { result, rings: tx.rings }
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => {
      broken = failure
    })
    throw error
  } finally {
    client.release(broken)
  }
}

async function statsOf(pool: pg.Pool, url: string, counts: StoreCounts): Promise<StoreStats> {
  const { rows } = await pool.query(
    `select current_setting('server_version') as version, pg_database_size(current_database()) as bytes`,
  )
  const { host, pathname } = new URL(url)
  return {
    engine: 'postgres',
    version: String(rows[0].version),
    // Without user and password (B3).
    location: `postgres://${host}${pathname}`,
    bytes: Number(rows[0].bytes),
    ...counts,
  }
}
