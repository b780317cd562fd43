import { rmSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { CarrelError } from '../../model/errors.ts'
import { MIGRATIONS, schemaVersion } from '../sql/migrations/migrate.ts'
import { fromSqlite } from './sqlite-errors.ts'
import { sqliteTx } from './sqlite-tx.ts'

/** Pages in one step. Between steps the copy reports progress and other work runs. */
const STEP_PAGES = 2_000

/**
 * Copies a consistent state of a database while others write to it.
 * @throws unavailable when the database cannot be read or the copy cannot be written
 */
export async function copyDatabase(
  path: string,
  target: string,
  progress: (copied: number, pages: number) => void = () => undefined,
): Promise<void> {
  try {
    const source = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
    try {
      // The open read transaction fixes the state: otherwise every commit of others would restart the copy.
      source.exec('begin; select count(*) from sqlite_schema')
      await backup(source, target, {
        rate: STEP_PAGES,
        progress: ({ totalPages, remainingPages }) => progress(totalPages - remainingPages, totalPages),
      })
    } finally {
      source.close()
    }
  } catch (thrown) {
    throw fromSqlite(thrown)
  }
}

/**
 * Checks that a copy is intact, and returns its schema; null for a database of another program.
 * @throws unavailable when the copy is damaged, or a newer Carrel wrote it
 */
export async function checkDatabase(path: string): Promise<number | null> {
  try {
    const db = new DatabaseSync(path, { readOnly: true })
    try {
      const { quick_check: found } = db.prepare('pragma quick_check').get() as { quick_check: string }
      if (found !== 'ok') throw new CarrelError('unavailable', `The copy ${path} is damaged: ${found}. Try again.`)
      const ours = db.prepare("select 1 from sqlite_schema where name = 'schema_versions'").get()
      if (!ours) return null
      const row = db.prepare('select max(version) as version from schema_versions').get() as { version: number | null }
      if ((row.version ?? 0) > MIGRATIONS.length) throw tooNew(row.version ?? 0)
      return row.version ?? 0
    } finally {
      db.close()
      // The reader left these files. They are empty for a fresh copy.
      for (const ending of ['-wal', '-shm']) rmSync(`${path}${ending}`, { force: true })
    }
  } catch (thrown) {
    throw fromSqlite(thrown)
  }
}

export const KNOWN_SCHEMA = MIGRATIONS.length

export const tooNew = (schema: number): CarrelError =>
  new CarrelError(
    'unavailable',
    `A newer Carrel wrote this data (schema ${schema}; this version knows ${KNOWN_SCHEMA}). Use that version or a newer one.`,
    { schema, known: KNOWN_SCHEMA },
  )

/** Changes the folders of blank Spaces and their projects to those in a new data folder. */
export async function moveBlankSpaces(path: string, from: string, to: string): Promise<void> {
  const db = new DatabaseSync(path)
  try {
    const tx = sqliteTx(db)
    if ((await schemaVersion(tx)) === 0) return
    const moved = (column: string) => `$2 || substr(${column}, length($1) + 1)`
    const below = (column: string) => `substr(${column}, 1, length($1) + 1) = $1 || '/'`
    db.exec('begin immediate')
    await tx.run(
      `update projects set place_path = ${moved('place_path')}
       where ${below('place_path')} and space in (select id from spaces where kind = 'blank')`,
      from,
      to,
    )
    await tx.run(
      `update spaces set folder_key = ${moved('folder')}, folder = ${moved('folder')}
       where kind = 'blank' and ${below('folder')}`,
      from,
      to,
    )
    db.exec('commit')
  } catch (thrown) {
    throw fromSqlite(thrown)
  } finally {
    db.close()
  }
}
