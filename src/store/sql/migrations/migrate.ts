import { CarrelError } from '../../../model/errors.ts'
import type { Tx } from '../tx.ts'
import { first } from './0001-first.ts'
import { search } from './0002-search.ts'
import { fewerPages } from './0003-fewer-pages.ts'
import { files } from './0004-files.ts'
import { secrets } from './0005-secrets.ts'
import { surroundings } from './0006-surroundings.ts'
import { spent } from './0007-spent.ts'
import { ports } from './0008-ports.ts'
import { admitted } from './0009-admitted.ts'
import { browsers } from './0010-browsers.ts'
import { names } from './0011-names.ts'
import { machines } from './0012-machines.ts'
import { expectKept, type Tally } from './kept-rows.ts'
import type { Migration } from './migration.ts'

export const MIGRATIONS: readonly Migration[] = [
  first,
  search,
  fewerPages,
  files,
  secrets,
  surroundings,
  spent,
  ports,
  admitted,
  browsers,
  names,
  machines,
]

/** The newest schema that this version of Carrel knows. */
export const KNOWN_SCHEMA = MIGRATIONS.length

/**
 * Reads the schema version of a database; 0 without tables of Carrel. Changes nothing.
 * @throws unavailable when a newer Carrel wrote the database
 */
export async function schemaVersion(tx: Tx, known: number = KNOWN_SCHEMA): Promise<number> {
  const versions = await tx.get(`select 1 as found from (${tx.dialect.relations}) r where name = 'schema_versions'`)
  if (!versions) return 0
  const row = await tx.get<{ version: number | null }>('select max(version) as version from schema_versions')
  const version = row?.version ?? 0
  if (version > known) throw writtenByNewer(version, known)
  return version
}

export const writtenByNewer = (schema: number, known: number = KNOWN_SCHEMA): CarrelError =>
  new CarrelError(
    'unavailable',
    `A newer Carrel wrote this database (schema ${schema}; this version knows ${known}). Start the newer version, or use another data folder or database. The newer version can undo its upgrade with \`carrel upgrade back\`.`,
    { schema, known },
  )

interface Migrating {
  readonly version: number
  readonly now: number
  readonly migrations?: readonly Migration[]
  readonly notify?: (migration: Migration) => void
}

/**
 * Migrates a database from `version` to the newest schema, inside the caller's transaction. Compares the rows that must
 * be kept.
 * @throws internal where rows were lost or changed, and any error of the engine; the caller rolls back
 */
export async function migrate(
  tx: Tx,
  { version, now, migrations = MIGRATIONS, notify = () => undefined }: Migrating,
): Promise<void> {
  await tx.run('create table if not exists schema_versions (version bigint primary key, applied_at bigint not null)')
  for (const [index, migration] of migrations.entries()) {
    if (index < version) continue
    notify(migration)
    await apply(tx, migration)
    await tx.run('insert into schema_versions (version, applied_at) values ($1, $2)', index + 1, now)
  }
}

async function apply(tx: Tx, { name, steps, keeps }: Migration): Promise<void> {
  const kept = keeps?.(tx.dialect) ?? []
  const before: Tally[] = []
  for (const rows of kept) before.push(await rows.before(tx))
  for (const step of steps(tx.dialect)) await (typeof step === 'string' ? tx.run(step) : step(tx))
  for (const [index, rows] of kept.entries()) expectKept(name, rows.table, before[index] as Tally, await rows.after(tx))
}
