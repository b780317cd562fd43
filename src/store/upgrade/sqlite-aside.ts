import { realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { CarrelError } from '../../model/errors.ts'
import { schemaVersion } from '../sql/migrations/migrate.ts'
import type { Tx } from '../sql/tx.ts'
import { fromSqlite } from '../sqlite/sqlite-errors.ts'
import { sqliteTx } from '../sqlite/sqlite-tx.ts'

/**
 * The address by which SQLite reads a database without changing a byte beside it: a plain read-only connection would
 * make `-wal` and `-shm` where they are missing.
 * @see https://www.sqlite.org/uri.html
 * @throws unavailable for a database with a log and without the index of it, which only a writer can make again
 */
export function asideAddress(database: string): string {
  const path = realPath(database)
  const url = pathToFileURL(path)
  if (!hasFile(path, '-wal')) url.search = '?mode=ro&immutable=1'
  else if (hasFile(path, '-shm')) url.search = '?mode=ro&readonly_shm=1'
  else
    throw new CarrelError(
      'unavailable',
      `${path} was not closed and lacks its -shm file, as after a copy that left it out. Open it once with the Carrel that wrote it, then try again.`,
    )
  return url.href
}

/** Where a database really is, also behind a link: its log lies there. The full path of one that is not there yet. */
export const realPath = (path: string): string =>
  statSync(path, { throwIfNoEntry: false }) === undefined ? resolve(path) : realpathSync(path)

const hasFile = (path: string, ending: string): boolean =>
  (statSync(`${path}${ending}`, { throwIfNoEntry: false })?.size ?? 0) > 0

/**
 * Runs `use` over a database that is only read; nothing beside it changes.
 * @throws unavailable when it cannot be read
 */
export async function readAside<T>(path: string, use: (tx: Tx, db: DatabaseSync) => Promise<T>): Promise<T> {
  try {
    const db = new DatabaseSync(new URL(asideAddress(path)), { readOnly: true, timeout: 5_000 })
    try {
      return await use(sqliteTx(db), db)
    } finally {
      db.close()
    }
  } catch (thrown) {
    throw fromSqlite(thrown)
  }
}

/** The size of a database with what its log holds, in bytes. */
export function sizeOf(db: DatabaseSync): number {
  const one = (name: string) => Number(Object.values(db.prepare(`pragma ${name}`).get() ?? {})[0])
  return one('page_count') * one('page_size')
}

/** Bytes of tables with their indexes. */
export function sizeOfTables(db: DatabaseSync, tables: readonly string[]): number {
  const list = tables.map(() => '?').join(', ')
  const row = db
    .prepare(
      `select sum(pgsize) as bytes from dbstat where aggregate = true and name in
         (select name from sqlite_schema where lower(tbl_name) in (${list}))`,
    )
    .get(...tables)
  return Number(row?.bytes ?? 0)
}

/** @throws unavailable when pages or indexes of it are damaged; `what` names it in the sentence */
export function expectSound(db: DatabaseSync, what: string): void {
  const found = db
    .prepare('pragma quick_check(1)')
    .all()
    .map((row) => String(Object.values(row)[0]))
  if (found.length === 1 && found[0] === 'ok') return
  throw new CarrelError('unavailable', `${what} is damaged: ${found.join('; ')}.`, { damage: found })
}

/**
 * Reads the schema of a database aside. One that only a writer can read is left to the writer.
 * @throws unavailable when a newer Carrel wrote it, or it cannot be read
 */
export async function refuseNewerSqlite(database: string): Promise<void> {
  const path = realPath(database)
  if (hasFile(path, '-wal') && !hasFile(path, '-shm')) return
  await readAside(path, (tx) => schemaVersion(tx))
}
