import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import type { Skipped } from './postgres.ts'
import type {} from './postgres-setup.ts'

export interface TestDatabase {
  readonly url: string
  /** Removes the database, even with open connections. */
  readonly drop: () => Promise<void>
}

/**
 * Creates an empty database on the Postgres of this test run, or returns the reason why there is none. For the
 * projects with the global setup `postgres-setup.ts` (contracts, e2e).
 */
export async function createDatabase(): Promise<TestDatabase | Skipped> {
  const server = inject('postgres')
  return 'skipped' in server ? server : await createDatabaseOn(server.url)
}

/** Creates an empty database on a server whose user has the right to do so. */
export async function createDatabaseOn(server: string): Promise<TestDatabase> {
  const name = `carrel_${randomBytes(6).toString('hex')}`
  await execute(server, `create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => execute(server, `drop database if exists ${name} with (force)`) }
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
