import { constants, copyFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CarrelError } from '../../model/errors.ts'
import { findRoom, joinRoom, type Loss } from '../../model/upgrade.ts'
import { isPresent } from '../../primitives/absent-as-null.ts'
import { KNOWN_SCHEMA, writtenByNewer } from '../sql/migrations/migrate.ts'
import { fromSqlite } from '../sqlite/sqlite-errors.ts'
import { sqliteTx } from '../sqlite/sqlite-tx.ts'
import { type Copy, flush, readCopy, type Say } from './copies.ts'
import { digestFile } from './digest.ts'
import { measureLoss } from './loss.ts'
import { roomAt } from './room.ts'
import { readAside, realPath, sizeOf } from './sqlite-aside.ts'
import { copyBefore, inspectSqlite, sqliteTrouble } from './sqlite-upgrade.ts'

/** The effect of going back. `loss` is null where no database is there now: nothing can be lost. */
export interface BackPreview {
  readonly copy: Copy
  /** The schema of the data as it is now; null where there is none. */
  readonly present: number | null
  readonly loss: Loss | null
}

export interface BackDone {
  /** The copy that is in place now. */
  readonly copy: Copy
  /** The data as it was until now; null where there was none. */
  readonly aside: Copy | null
}

interface Back {
  readonly path: string
  readonly copies: string
  /** The name of the copy to go back to. */
  readonly name: string
  readonly say: Say
}

/**
 * Checks a copy and counts what was written since it was made. Changes nothing.
 * @throws not_found for an unknown copy, unavailable when it is not as it was made or cannot be used here
 */
export async function previewBackSqlite(back: Back): Promise<BackPreview> {
  const copy = await readSqliteCopy(back)
  if (!isThere(back.path)) return { copy, present: null, loss: null }
  return await readAside(back.path, async (tx, db) => {
    const row = db.prepare('select max(version) as version from schema_versions').get()
    return { copy, present: Number(row?.version ?? 0), loss: await measureLoss(tx, copy.manifest.at) }
  })
}

const isThere = (path: string): boolean => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0

async function readSqliteCopy({ copies, name, say }: Back): Promise<Copy> {
  const copy = await readCopy(copies, name, say)
  const { engine, schema, file, counts } = copy.manifest
  if (engine !== 'sqlite')
    throw new CarrelError('bad_input', `The copy ${name} is of a Postgres database. Start this with that databaseUrl.`)
  if (schema > KNOWN_SCHEMA) throw writtenByNewer(schema)
  const found = await inspectSqlite(join(copy.folder, file), `The copy ${name}`)
  if (found.schema !== schema || JSON.stringify(found.rows) !== JSON.stringify(counts))
    throw new CarrelError(
      'unavailable',
      `The copy ${name} does not hold the rows that its manifest says. Nothing was changed. Choose another copy.`,
      { copy: name, expected: counts, found: found.rows },
    )
  return copy
}

/**
 * Puts a copy in the place of the database, which is kept as a copy of its own first. The caller has the folder's lock.
 * The database is wholly the present one until the file is renamed, and wholly the copy from then on.
 * @throws as `previewBackSqlite`, and unavailable without the room for it; then nothing was changed
 */
export async function backSqlite(back: Back & { readonly carrel: string; readonly now: number }): Promise<BackDone> {
  const { say } = back
  // Behind a link the file itself is replaced, not the link.
  const path = realPath(back.path)
  const fresh = `${path}.back`
  try {
    const copy = await readSqliteCopy(back)
    rmSync(fresh, { force: true })
    refuseWithoutRoom({ ...back, path }, copy)
    const aside = isThere(path) ? await setAside({ ...back, path }) : null
    say('putting the copy in place', 0, null)
    copyFileSync(join(copy.folder, copy.manifest.file), fresh, constants.COPYFILE_FICLONE)
    flush(fresh)
    const { sha256 } = await digestFile(fresh)
    if (sha256 !== copy.manifest.sha256)
      throw new CarrelError(
        'unavailable',
        'The copy came back from the disk as something else, and nothing was changed. Check the disk.',
      )
    renameSync(fresh, path)
    flush(dirname(path))
    return { copy, aside }
  } catch (thrown) {
    rmSync(fresh, { force: true })
    throw sqliteTrouble('The copy was not put in place, and nothing was changed.', thrown)
  }
}

function refuseWithoutRoom({ path, copies }: Back, copy: Copy): void {
  const there = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
  const room = [roomAt(copies, there + log), roomAt(dirname(path), copy.manifest.bytes)]
  const [missing] = findRoom(joinRoom(room))
  if (missing)
    throw new CarrelError(
      'unavailable',
      `The copy was not put in place, and nothing was changed. ${missing.text} ${missing.next}`,
    )
}

/** Copies the present database, and leaves its file whole by itself: nothing of it stands in a log beside it any more. */
async function setAside({
  path,
  copies,
  name,
  carrel,
  now,
  say,
}: Back & { readonly carrel: string; readonly now: number }): Promise<Copy> {
  closeLog(path)
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    const row = db.prepare('select max(version) as version from schema_versions').get()
    const version = Math.max(1, Number(row?.version ?? 1))
    say('keeping the present database', 0, sizeOf(db))
    return await copyBefore({ tx: sqliteTx(db), path, version, now, carrel, copies, say }, 'back', [name])
  } finally {
    db.close()
    closeLog(path)
  }
}

/**
 * Writes the log of a database into its file and removes it: one that stays would be played into the copy.
 * @throws unavailable while another program has the database open
 */
function closeLog(path: string): void {
  const inUse = `Another program has ${path} open, and nothing was changed. Stop that program, then try again.`
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    // Taken before anything is read, it is had by one connection alone.
    db.exec('pragma locking_mode = exclusive; begin immediate; commit; pragma wal_checkpoint(truncate)')
  } catch (thrown) {
    throw fromSqlite(thrown, inUse)
  } finally {
    db.close()
  }
  if (isPresent(`${path}-wal`)) throw new CarrelError('unavailable', inUse)
}
