import pg from 'pg'
import { CarrelError } from '../../model/errors.ts'
import { methodsOver } from '../sql/methods.ts'
import { KNOWN_SCHEMA, MIGRATIONS, schemaVersion } from '../sql/migrations/migrate.ts'
import { type Port, type ReadResult, runRead, runWrites } from '../sql/operations.ts'
import { coalesce, type Tx } from '../sql/tx.ts'
import type { Ring, Store, StoreStats } from '../store.ts'
import type { Say } from '../upgrade/copies.ts'
import { applicationName, OPENING } from '../upgrade/postgres-nodes.ts'
import type { PostgresUpgradeOptions } from '../upgrade/postgres-upgrade.ts'
import { fromPostgres, mayRetry } from './postgres-errors.ts'
import { postgresTx } from './postgres-tx.ts'

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string
  /** The schema that holds the tables; made where it is missing. */
  readonly schema?: string | undefined
  /** Connections at once. */
  readonly poolSize?: number | undefined
  /** ms since 1970, noted beside a migration. */
  readonly now?: (() => number) | undefined
  /** How older tables are upgraded. Without it older tables are refused, since nobody said where a copy goes. */
  readonly upgrade?: PostgresUpgradeOptions | undefined
  /** Hears how far an upgrade is. */
  readonly say?: Say | undefined
}

/** How often a transaction is tried when others are in its way. */
const TRIES = 8
/** Two nodes that start at once migrate one after the other. Any number that nobody else locks. */
export const MIGRATION_LOCK = 4_747_001

/**
 * Opens the store on a Postgres server that several nodes may share.
 * @throws unavailable when it cannot be reached, or a newer Carrel wrote its tables
 * @throws bad_input when `schema` is no plain name
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
      return result[0] as never
    },
    read: (name, args) => runRead(reads, name, args).catch(rethrow) as Promise<never>,
  }
  return {
    engine: 'postgres',
    ...methodsOver(port),
    onAppend(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async backup() {
      throw new CarrelError('unavailable', 'A Postgres database is copied with its own tools: use pg_dump.')
    },
    stats: async () => statsOf(pool, url, await port.read('counts', undefined as never)),
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
    throw new CarrelError('bad_input', 'A schema takes small letters, digits and _.', { schema })
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
  // A connection that breaks is replaced, and a query on it rejects; without listeners it would end the process too.
  pool.on('error', () => {})
  pool.on('connect', (client) => void client.on('error', () => {}))
  return pool
}

/**
 * Runs `use` over one connection to a database, which is no node for others.
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

/** Counts, times and numbers of events stay far below 2^53. */
const parserFor: pg.CustomTypesConfig['getTypeParser'] = (oid, format) =>
  oid === INT8 ? (text: string) => Number(text) : pg.types.getTypeParser(oid, format)

async function prepare(
  pool: pg.Pool,
  schema: string,
  { url, now, upgrade, say = () => undefined }: PostgresOptions,
): Promise<void> {
  await transact(pool, async (tx) => {
    await tx.get('select pg_advisory_xact_lock($1)', MIGRATION_LOCK)
    const there = await tx.get('select 1 as there from pg_namespace where nspname = $1', schema)
    if (!there) await tx.run(`create schema ${schema}`)
    const version = await schemaVersion(tx)
    if (version < KNOWN_SCHEMA) {
      // Loaded only where it is used: most starts find the schema of today.
      const { upgradePostgres } = await import('../upgrade/postgres-upgrade.ts')
      const whole = { tx, url, schema, version, now: now?.() ?? 0, migrations: MIGRATIONS, say }
      await upgradePostgres(whole, upgrade ?? null)
    }
    // From the commit on it is a node.
    await tx.run(`set application_name = '${applicationName(schema)}'`)
  })
  pool.options.application_name = applicationName(schema)
}

interface Committed<T> {
  readonly result: T
  readonly rings: readonly Ring[]
}

/** Runs a transaction until it is through; rings of a try that failed are dropped. */
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

async function statsOf(pool: pg.Pool, url: string, counts: ReadResult<'counts'>): Promise<StoreStats> {
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
