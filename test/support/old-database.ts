import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { postgresTx } from '../../src/store/postgres/postgres-tx.ts'
import { MIGRATIONS, migrate } from '../../src/store/sql/migrations/migrate.ts'
import type { Migration } from '../../src/store/sql/migrations/migration.ts'
import type { Tx } from '../../src/store/sql/tx.ts'
import { sqliteTx } from '../../src/store/sqlite/sqlite-tx.ts'

/** Builds a migration that no Carrel has, for tests of failing migrations. */
export const nextMigration = (more: Partial<Migration> = {}): Migration => ({
  name: `00${MIGRATIONS.length + 1}-later`,
  summary: 'Makes a table for a test.',
  steps: () => ['create table later (id text)'],
  ...more,
})

/** Number of rows that `fillOld` inserts into each table that a migration rewrites. */
export const OLD_ROWS = { events: 30, workspace_log: 5, waiting: 2, prompts: 4, sessions: 1 } as const

/**
 * Inserts rows into a database of an old schema: rows that later migrations read or write, and a session with its
 * log.
 */
async function fillOld(tx: Tx, schema: number): Promise<void> {
  await tx.run("insert into workspaces (id, name, created_at) values ('w', 'Home', 1)")
  await tx.run(
    `insert into sessions (id, workspace, space, project, name, name_key, named_by, agent, state, questions, queued, head,
       created_at, updated_at)
     values ('ses_1', 'w', 'spc_1', 'prj_1', 'Talk', 'talk', 'default', 'scripted', 'idle', 0, 0, ${OLD_ROWS.events}, 1, 1)`,
  )
  for (let seq = 1; seq <= OLD_ROWS.events; seq += 1)
    await tx.run(
      'insert into events (session, seq, at, run, type, data) values ($1, $2, $3, null, $4, $5)',
      'ses_1',
      seq,
      seq,
      'agent.update',
      `{"text": "line ${seq}\\n\u2028 of old"}`,
    )
  for (let seq = 1; seq <= OLD_ROWS.workspace_log; seq += 1)
    await tx.run(
      "insert into workspace_log (workspace, seq, at, type, data) values ('w', $1, 1, 'session.changed', '{}')",
      seq,
    )
  if (schema < 3)
    for (let count = 1; count <= OLD_ROWS.prompts; count += 1)
      await tx.run(
        'insert into prompts (id, session, state, at) values ($1, $2, $3, 1)',
        `pmt_${count}`,
        'ses_1',
        count <= OLD_ROWS.waiting ? 'queued' : 'taken',
      )
  if (schema >= 6)
    await tx.run(
      `insert into ${schema >= 11 ? 'environment' : 'surroundings'} (workspace, scope, settings, updated_at) values ('w', '', $1, 1)`,
      JSON.stringify({ env: { TEXT: '"browser":false' }, browser: schema >= 10 ? 'none' : false, ports: ['web'] }),
    )
}

/** Creates a closed SQLite database as the Carrel of an old schema left it. */
export async function makeOldSqlite(path: string, schema: number): Promise<void> {
  const db = new DatabaseSync(path)
  try {
    db.exec('pragma journal_mode = wal; begin')
    const tx = sqliteTx(db)
    await migrate(tx, { version: 0, now: 1, migrations: MIGRATIONS.slice(0, schema) })
    await fillOld(tx, schema)
    db.exec('commit')
  } finally {
    db.close()
  }
}

/** Creates tables in an empty schema of a Postgres database as the Carrel of an old schema left them. */
export async function makeOldPostgres(url: string, schema: number): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('begin')
    const tx = postgresTx(client)
    await migrate(tx, { version: 0, now: 1, migrations: MIGRATIONS.slice(0, schema) })
    await fillOld(tx, schema)
    await client.query('commit')
  } finally {
    await client.end()
  }
}
