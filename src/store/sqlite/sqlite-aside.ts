import { realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { CarrelError } from '../../model/errors.ts'
import { schemaVersion } from '../sql/migrations/migrate.ts'
import type { Tx } from '../sql/tx.ts'
import { fromSqlite } from './sqlite-errors.ts'
import { sqliteTx } from './sqlite-tx.ts'

/**
 * Returns the URI by which SQLite reads a database and changes no file beside it: a plain read-only connection would
 * create missing `-wal` and `-shm` files.
 * @see https://www.sqlite.org/uri.html
 * @throws unavailable for a database with a log but without its index, which only a writer can rebuild
 */
export function asideAddress(database: string): string {
  const path = realPath(database)
  const url = pathToFileURL(path)
  if (!hasFile(path, '-wal')) url.search = '?mode=ro&immutable=1'
  else if (hasFile(path, '-shm')) url.search = '?mode=ro&readonly_shm=1'
  else
    throw new CarrelError(
      'unavailable',
      `${path} was not closed, and its -shm file is missing, as after an incomplete copy. Open it once with the Carrel that wrote it, then try again.`,
    )
  return url.href
}

/** Returns the real path of a database behind links, where its log is; the full path of a missing database. */
export const realPath = (path: string): string =>
  statSync(path, { throwIfNoEntry: false }) === undefined ? resolve(path) : realpathSync(path)

const hasFile = (path: string, ending: string): boolean =>
  (statSync(`${path}${ending}`, { throwIfNoEntry: false })?.size ?? 0) > 0

/** Runs `use` over a read-only database. Changes no file beside it. @throws unavailable for an unreadable database */
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

/** Returns the size of a database including its log. Bytes. */
export function sizeOf(db: DatabaseSync): number {
  const one = (name: string) => Number(Object.values(db.prepare(`pragma ${name}`).get() ?? {})[0])
  return one('page_count') * one('page_size')
}

/** Returns the size of tables with their indexes. Bytes. */
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

/** Checks pages and indexes. `what` names the database in the message. @throws unavailable for a damaged database */
export function expectSound(db: DatabaseSync, what: string): void {
  const found = db
    .prepare('pragma quick_check(1)')
    .all()
    .map((row) => String(Object.values(row)[0]))
  if (found.length === 1 && found[0] === 'ok') return
  throw new CarrelError('unavailable', `${what} is damaged: ${found.join('; ')}.`, { damage: found })
}

/**
 * Refuses a database of a newer Carrel, without changing a file. Skips a database that only a writer can read.
 * @throws unavailable when a newer Carrel wrote the database, or it cannot be read
 */
export async function refuseNewerSqlite(database: string): Promise<void> {
  const path = realPath(database)
  if (hasFile(path, '-wal') && !hasFile(path, '-shm')) return
  await readAside(path, (tx) => schemaVersion(tx))
}
