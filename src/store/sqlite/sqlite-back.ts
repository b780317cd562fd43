import { constants, copyFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CarrelError } from '../../model/errors.ts'
import { findRoom, joinRoom, type ReportProgress } from '../../model/upgrade.ts'
import { isPresent } from '../../primitives/absent-as-null.ts'
import { KNOWN_SCHEMA, writtenByNewer } from '../sql/migrations/migrate.ts'
import { type Copy, flush, readCopy } from '../upgrade/copies.ts'
import { digestFile } from '../upgrade/digest.ts'
import { type BackDone, type BackPreview, measureLoss } from '../upgrade/loss.ts'
import { roomAt } from '../upgrade/room.ts'
import { readAside, realPath, sizeOf } from './sqlite-aside.ts'
import { fromSqlite } from './sqlite-errors.ts'
import { sqliteTx } from './sqlite-tx.ts'
import { copyBefore, inspectSqlite, sqliteFailure } from './sqlite-upgrade.ts'

interface Back {
  readonly path: string
  readonly copies: string
  readonly name: string
  readonly say: ReportProgress
}

interface Replacing extends Back {
  readonly carrel: string
  readonly now: number
}

/** Changes nothing. @throws as `previewBack` of the engine */
export async function previewBackSqlite(back: Back): Promise<BackPreview> {
  const copy = await readSqliteCopy(back)
  if (!hasData(back.path)) return { copy, present: null, loss: null }
  return await readAside(back.path, async (tx, db) => {
    const row = db.prepare('select max(version) as version from schema_versions').get()
    return { copy, present: Number(row?.version ?? 0), loss: await measureLoss(tx, copy.manifest.at) }
  })
}

const hasData = (path: string): boolean => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0

async function readSqliteCopy({ copies, name, say }: Back): Promise<Copy> {
  const copy = await readCopy(copies, name, say)
  const { engine, schema, file, counts } = copy.manifest
  if (engine !== 'sqlite')
    throw new CarrelError(
      'bad_input',
      `The copy ${name} is of a Postgres database. Repeat the command with its databaseUrl.`,
    )
  if (schema > KNOWN_SCHEMA) throw writtenByNewer(schema)
  const found = await inspectSqlite(join(copy.folder, file), `The copy ${name}`)
  if (found.schema !== schema || JSON.stringify(found.rows) !== JSON.stringify(counts)) {
    const message = `The copy ${name} does not hold the rows that its manifest says. Nothing was changed. Choose another copy.`
    throw new CarrelError('unavailable', message, { copy: name, expected: counts, found: found.rows })
  }
  return copy
}

/**
 * Replaces the database with a copy, and saves the present database as a copy first. The caller has locked the folder.
 * The replacement is atomic, by renaming the file.
 * @throws as `previewBackSqlite`, and unavailable without enough disk space; then nothing was changed
 */
export async function backSqlite(back: Replacing): Promise<BackDone> {
  const { say } = back
  // Replaces the file behind a link, not the link.
  const path = realPath(back.path)
  const fresh = `${path}.back`
  try {
    const copy = await readSqliteCopy(back)
    rmSync(fresh, { force: true })
    refuseWithoutRoom({ ...back, path }, copy)
    const aside = hasData(path) ? await setAside({ ...back, path }) : null
    say('restoring the copy', 0, null)
    copyFileSync(join(copy.folder, copy.manifest.file), fresh, constants.COPYFILE_FICLONE)
    flush(fresh)
    const { sha256 } = await digestFile(fresh)
    if (sha256 !== copy.manifest.sha256)
      throw new CarrelError(
        'unavailable',
        'The restored file differs from the copy, and nothing was changed. Check the disk.',
      )
    renameSync(fresh, path)
    flush(dirname(path))
    return { copy, aside }
  } catch (thrown) {
    rmSync(fresh, { force: true })
    throw sqliteFailure('The copy was not restored, and nothing was changed.', thrown)
  }
}

function refuseWithoutRoom({ path, copies }: Back, copy: Copy): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
  const room = [roomAt(copies, size + log), roomAt(dirname(path), copy.manifest.bytes)]
  const [missing] = findRoom(joinRoom(room))
  if (missing)
    throw new CarrelError(
      'unavailable',
      `The copy was not restored, and nothing was changed. ${missing.text} ${missing.next}`,
    )
}

/** Copies the present database. Afterwards its file is complete without a log beside it. */
async function setAside(back: Replacing): Promise<Copy> {
  const { path, copies, name, carrel, now, say } = back
  closeLog(path)
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    const row = db.prepare('select max(version) as version from schema_versions').get()
    const version = Math.max(1, Number(row?.version ?? 1))
    say('saving the present database', 0, sizeOf(db))
    return await copyBefore({ tx: sqliteTx(db), path, version, now, carrel, copies, say }, 'back', [name])
  } finally {
    db.close()
    closeLog(path)
  }
}

/**
 * Writes the log of a database into its file and removes the log, which would otherwise be applied to the copy.
 * @throws unavailable while another program has the database open
 */
function closeLog(path: string): void {
  const inUse = `Another program has ${path} open, and nothing was changed. Stop that program, then try again.`
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    // An exclusive lock before the first read admits no other connection.
    db.exec('pragma locking_mode = exclusive; begin immediate; commit; pragma wal_checkpoint(truncate)')
  } catch (thrown) {
    throw fromSqlite(thrown, inUse)
  } finally {
    db.close()
  }
  if (isPresent(`${path}-wal`)) throw new CarrelError('unavailable', inUse)
}
