import { join } from 'node:path'
import type pg from 'pg'
import { CarrelError } from '../../model/errors.ts'
import type { ReportProgress, UpgradeFinding } from '../../model/upgrade.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { POSTGRES } from '../sql/dialect.ts'
import { tablesAfter } from '../sql/migrations/catalog.ts'
import { KNOWN_SCHEMA, MIGRATIONS, schemaVersion, writtenByNewer } from '../sql/migrations/migrate.ts'
import type { Tx } from '../sql/tx.ts'
import { type Copy, readCopy } from '../upgrade/copies.ts'
import { type BackDone, type BackPreview, measureLoss } from '../upgrade/loss.ts'
import { findPgTools, type PgTools, startTool } from './pg-tools.ts'
import { connectOnce, MIGRATION_LOCK } from './postgres.ts'
import { livingNodes } from './postgres-nodes.ts'
import { postgresTx } from './postgres-tx.ts'
import {
  copyPostgres,
  countCopy,
  lockTables,
  type PostgresPlace,
  type PostgresUpgradeOptions,
  serverMajor,
} from './postgres-upgrade.ts'

interface Back extends PostgresPlace {
  readonly name: string
  readonly options: PostgresUpgradeOptions
  readonly now: number
  readonly say: ReportProgress
}

/** Changes nothing. @throws as `previewBack` of the engine */
export async function previewBackPostgres(back: Back): Promise<BackPreview> {
  return await connectOnce(back.url, back.schema, async (client) => {
    const tx = postgresTx(client)
    const { copy } = await readPostgresCopy(tx, back)
    const present = await schemaVersion(tx)
    return { copy, present: present || null, loss: present ? await measureLoss(tx, copy.manifest.at) : null }
  })
}

async function readPostgresCopy(tx: Tx, { name, options, say }: Back): Promise<{ copy: Copy; tools: PgTools }> {
  const copy = await readCopy(options.copies, name, say)
  const { engine, schema, toolMajor, file, counts } = copy.manifest
  if (engine !== 'postgres')
    throw new CarrelError(
      'bad_input',
      `The copy ${name} is of an SQLite database. Repeat the command without databaseUrl.`,
    )
  if (schema > KNOWN_SCHEMA) throw writtenByNewer(schema)
  const tools = await findPgTools(Math.max(await serverMajor(tx), toolMajor ?? 0), options.env, options.toolFolders)
  if ('text' in tools) throw new CarrelError('unavailable', `${tools.text} ${tools.next}`)
  const found = await countCopy(tools, join(copy.folder, file), options.env)
  if (JSON.stringify(found) !== JSON.stringify(counts)) {
    const message = `The copy ${name} does not hold the rows that its manifest says. Nothing was changed. Choose another copy.`
    throw new CarrelError('unavailable', message, { copy: name, expected: counts, found })
  }
  return { copy, tools }
}

/**
 * Replaces the tables with those of a copy, and saves the present tables as a copy first. Runs as one transaction, with
 * its rows counted before the commit. No node can start meanwhile.
 * @throws as `previewBackPostgres`, and unavailable while other nodes live; then nothing was changed
 */
export async function backPostgres(back: Back): Promise<BackDone> {
  const { url, schema, options, now } = back
  return await connectOnce(url, schema, async (client) => {
    const tx = postgresTx(client)
    // A session lock, because another connection drops the tables: it would wait for a transaction of this one.
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    const { copy, tools } = await readPostgresCopy(tx, back)
    const version = await schemaVersion(tx)
    if (version > 0) refuseLiving(await livingNodes(tx, { schema, now, holder: options.holder }))
    const aside = version > 0 ? await setAside(client, back, tools, version) : null
    await replaceTables(back, copy, tools, version)
    return { copy, aside }
  })
}

function refuseLiving(nodes: readonly UpgradeFinding[]): void {
  if (nodes.length === 0) return
  const reasons = nodes.map(({ text, next }) => `${text} ${next}`).join(' ')
  throw new CarrelError('unavailable', `The copy was not restored, and nothing was changed. ${reasons}`, { nodes })
}

async function setAside(client: pg.ClientBase, back: Back, tools: PgTools, version: number): Promise<Copy> {
  const whole = { ...back, tx: postgresTx(client), version, migrations: MIGRATIONS }
  await client.query('begin')
  try {
    await lockTables(whole)
    return await copyPostgres(whole, back.options, { tools, reason: 'back', needed: [back.name] })
  } finally {
    await client.query('rollback')
  }
}

/** Returns the statements before the copy's own. Tables of newer versions must go, or a later upgrade would collide. */
const begin = (schema: string, version: number): string =>
  [
    'begin;',
    ...tablesAfter(MIGRATIONS.slice(0, version), POSTGRES).map(
      (table) => `drop table if exists "${schema}"."${table}";`,
    ),
    '',
  ].join('\n')

/** Returns the statements after the copy's own: a check of the row counts, then the commit. */
const end = (schema: string, { counts }: Copy['manifest']): string =>
  [
    '',
    'do $carrel$ begin',
    ...Object.entries(counts).map(
      ([table, count]) =>
        `if (select count(*) from "${schema}"."${table}") <> ${count} then raise exception 'the table ${table} does not have its ${count} rows'; end if;`,
    ),
    'end $carrel$;',
    'commit;',
    '',
  ].join('\n')

async function replaceTables(back: Back, copy: Copy, tools: PgTools, version: number): Promise<void> {
  const { url, schema, options, say } = back
  say('restoring the copy', 0, null)
  const target = { url, env: options.env }
  const reading = startTool(
    tools.restore,
    ['--no-owner', '--file=-', join(copy.folder, copy.manifest.file)],
    options.env,
  )
  const writing = startTool(tools.psql, ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', '--file=-'], target)
  writing.stdout.resume()
  try {
    writing.stdin.write(begin(schema, version))
    for await (const chunk of reading.stdout) {
      if (!writing.stdin.write(chunk)) await Promise.race([drained(writing.stdin), writing.ended])
    }
    await reading.ended
    writing.stdin.end(end(schema, copy.manifest))
    await writing.ended
  } catch (thrown) {
    reading.kill()
    writing.kill()
    const message = `The copy was not restored, and nothing was changed. ${messageOf(thrown)}`
    throw new CarrelError('unavailable', message, { copy: copy.name }, thrown)
  }
}

const drained = (stream: NodeJS.WritableStream): Promise<void> =>
  new Promise((resolve) => void stream.once('drain', () => resolve()))
