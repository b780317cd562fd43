import { CarrelError } from '../../model/errors.ts'
import type { Dialect } from './dialect.ts'
import { first } from './migrations/0001-first.ts'
import { search } from './migrations/0002-search.ts'
import { fewerPages } from './migrations/0003-fewer-pages.ts'
import { files } from './migrations/0004-files.ts'
import { secrets } from './migrations/0005-secrets.ts'
import { surroundings } from './migrations/0006-surroundings.ts'
import { spent } from './migrations/0007-spent.ts'
import { ports } from './migrations/0008-ports.ts'
import { admitted } from './migrations/0009-admitted.ts'
import { browsers } from './migrations/0010-browsers.ts'
import type { Tx } from './tx.ts'

/** A statement, or more than SQL can say. */
export type Step = string | ((tx: Tx) => Promise<void>)
/** Steps that lead from version n to n + 1. Forward only; one that was released never changes. */
export type Migration = (dialect: Dialect) => Step[]

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
]

/**
 * The version of a database; 0 for an empty one.
 * @throws unavailable when a newer Carrel wrote it
 */
export async function schemaVersion(tx: Tx, known: number = MIGRATIONS.length): Promise<number> {
  await tx.run('create table if not exists schema_versions (version bigint primary key, applied_at bigint not null)')
  const row = await tx.get<{ version: number | null }>('select max(version) as version from schema_versions')
  const version = row?.version ?? 0
  if (version > known) {
    throw new CarrelError(
      'unavailable',
      `A newer Carrel wrote this database (schema ${version}; this one knows ${known}). Start that version again, or name another data folder or database.`,
      { schema: version, known },
    )
  }
  return version
}

/** Brings a database from `version` to the newest, inside the caller's transaction. */
export async function migrate(
  tx: Tx,
  version: number,
  now: number,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<void> {
  for (const [index, migration] of migrations.entries()) {
    if (index < version) continue
    for (const step of migration(tx.dialect)) await (typeof step === 'string' ? tx.run(step) : step(tx))
    await tx.run('insert into schema_versions (version, applied_at) values ($1, $2)', index + 1, now)
  }
}
