import { dirname, resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { CarrelError } from '../../model/errors.ts'
import { fileTrouble } from '../../model/files/file-trouble.ts'
import type { ReportProgress } from '../../model/upgrade.ts'
import { findRoom, joinRoom, refuseFindings, roomToMigrate, type UpgradeRoom } from '../../model/upgrade.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { countRows } from '../sql/migrations/catalog.ts'
import { migrate } from '../sql/migrations/migrate.ts'
import type { Migration } from '../sql/migrations/migration.ts'
import { preflight } from '../sql/migrations/preflight.ts'
import type { Tx } from '../sql/tx.ts'
import { type Copy, copiesIn, makeCopy, type UpgradeOptions } from '../upgrade/copies.ts'
import { diskFull, stepFailed, withCopy } from '../upgrade/failures.ts'
import { roomAt } from '../upgrade/room.ts'
import { expectSound, readAside, realPath, sizeOf, sizeOfTables } from './sqlite-aside.ts'
import { copyDatabase } from './sqlite-copy.ts'
import { fromSqlite, isFullDisk } from './sqlite-errors.ts'

export const copiesBeside = (path: string): string => copiesIn(dirname(resolve(path)))

interface Upgrade extends UpgradeOptions {
  readonly db: DatabaseSync
  readonly tx: Tx
  readonly path: string
  readonly version: number
  readonly now: number
  readonly migrations: readonly Migration[]
  readonly say: ReportProgress
}

/**
 * Upgrades a database from `version` to the newest schema in one transaction. Checks and copies the data first; no
 * other connection can write in between.
 * @throws unavailable when the upgrade is refused, internal when a step fails; then the data is unchanged
 */
export async function upgradeSqlite(upgrade: Upgrade): Promise<void> {
  const { db, tx, version, migrations, say, now } = upgrade
  const room = version === 0 ? [] : roomFor(db, upgrade)
  refuseFindings(version, migrations.length, [...findRoom(room), ...(await preflight(tx, migrations.slice(version)))])
  let doing = version === 0 ? null : 'the copy'
  let copy: Copy | null = null
  try {
    db.exec('begin immediate')
    copy = version > 0 && upgrade.copy === 'make' ? await copyBefore(upgrade, 'upgrade') : null
    if (copy) say(`copied the data to ${copy.folder}`, 1, 1)
    if (version > 0) doing = 'the preparation of its steps'
    let step = 0
    const notify = ({ name }: Migration) => {
      if (version === 0) return
      doing = `step ${name}`
      step += 1
      say(`upgrade step ${name}`, step, migrations.length - version)
    }
    await migrate(tx, { version, now, migrations, notify })
    if (version > 0) doing = 'the commit'
    db.exec('commit')
  } catch (thrown) {
    // A full disk may have ended the transaction already.
    if (db.isTransaction) db.exec('rollback')
    if (doing === null) throw thrown
    throw withCopy(upgradeFailure(thrown, doing, room), copy)
  }
}

/** Returns the disk space needed for the copy and for rewritten tables. */
export function roomFor(
  db: DatabaseSync,
  upgrade: Pick<Upgrade, 'path' | 'copies' | 'copy' | 'version' | 'migrations' | 'tx'>,
): UpgradeRoom[] {
  const { path, copies, copy, version, migrations, tx } = upgrade
  const rewritten = [...new Set(migrations.slice(version).flatMap(({ rewrites }) => rewrites?.(tx.dialect) ?? []))]
  const bytes = rewritten.length > 0 ? sizeOfTables(db, rewritten) : 0
  const migrating = roomAt(dirname(realPath(path)), roomToMigrate(bytes))
  return joinRoom(copy === 'make' ? [roomAt(copies, sizeOf(db)), migrating] : [migrating])
}

export async function copyBefore(
  { tx, path, version, now, carrel, copies, say }: Omit<Upgrade, 'db' | 'migrations' | 'copy'>,
  reason: 'upgrade' | 'back',
  needed: readonly string[] = [],
): Promise<Copy> {
  const made = { carrel, schema: version, at: now, reason, source: resolve(path) }
  const facts = { engine: 'sqlite', ...made, file: 'carrel.db', toolMajor: null } as const
  const write = async (file: string) => {
    say('copying the database', 0, null)
    await copyDatabase(path, file, (done, of) => say('copying the database', done, of))
    say('checking the copy', 0, null)
    const [present, counts] = [await countRows(tx), await inspectSqlite(file, `The copy of ${path}`)]
    if (JSON.stringify(present) !== JSON.stringify(counts.rows)) {
      const message = `The copy of ${path} does not hold the same rows. Nothing was changed. Check the disk, then try again.`
      throw new CarrelError('unavailable', message, { there: present, copied: counts.rows })
    }
    return counts.rows
  }
  return await makeCopy(copies, facts, write, { say, needed })
}

/**
 * Opens a database read-only, checks its pages and counts its rows. `what` names the database in the message.
 * @throws unavailable for a damaged database
 */
export async function inspectSqlite(
  path: string,
  what: string,
): Promise<{ schema: number; rows: Readonly<Record<string, number>> }> {
  return await readAside(path, async (tx, db) => {
    expectSound(db, what)
    const rows = await countRows(tx)
    const row = rows.schema_versions ? db.prepare('select max(version) as version from schema_versions').get() : null
    return { schema: Number(row?.version ?? 0), rows }
  })
}

function upgradeFailure(thrown: unknown, doing: string, room: readonly UpgradeRoom[]): CarrelError {
  if (isFullDisk(thrown) || (thrown instanceof CarrelError && isFullDisk(thrown.cause))) {
    return diskFull('The disk', doing, room, thrown)
  }
  const error = sqliteFailure(`The upgrade stopped at ${doing}, and nothing was changed.`, thrown)
  if (error.code !== 'internal' || (error.data as { step?: unknown } | undefined)?.step !== undefined) return error
  return stepFailed(doing, detailOf(thrown), thrown)
}

/** Converts an error of SQLite or the file system. `what` is the first sentence of the message. */
export function sqliteFailure(what: string, thrown: unknown): CarrelError {
  const error = fileTrouble(what, thrown)
  return error.code === 'internal' ? fromSqlite(thrown) : error
}

const detailOf = (thrown: unknown): string => messageOf(thrown).replace(/\.$/, '')
