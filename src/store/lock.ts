import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CarrelError } from '../model/errors.ts'
import { fromSqlite } from './sqlite/sqlite-errors.ts'

export interface FolderLock {
  /** Gives the folder back. Safe to repeat. */
  release(): void
}

/**
 * Takes a data folder for this process (S5). What holds it is a lock of the operating system on `lock.db`, which
 * ends with the process however that ends: a file that only says "locked" would outlive a `kill -9`. The number of
 * the process stands beside it in `lock.pid`, for people only.
 * @throws unavailable while another process has the folder, with its number in the words and in `data.pid`
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const pidFile = join(folder, 'lock.pid')
  const db = take(join(folder, 'lock.db'), folder, pidFile)
  writeFileSync(pidFile, `${process.pid}\n`)
  return {
    release() {
      if (!db.isOpen) return
      // Before the lock goes, so that the number of the next one is not taken away.
      rmSync(pidFile, { force: true })
      db.close()
    },
  }
}

function take(path: string, folder: string, pidFile: string): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path, { timeout: 0 })
    // Without a journal there is nothing to play back after a crash: the lock is all that this file is for.
    db.exec('pragma journal_mode = memory; begin exclusive')
    return db
  } catch (error) {
    if (db?.isOpen) db.close()
    const trouble = fromSqlite(error, HELD)
    if (trouble.message !== HELD) throw trouble
    throw held(folder, pidFile)
  }
}

const HELD = 'held'

/**
 * Tells whether a process has a data folder now. Changes nothing, and takes nothing.
 * @returns null while nobody has it; `pid` is null where the number cannot be read
 */
export function holderOfFolder(folder: string): { readonly pid: number | null } | null {
  const path = join(folder, 'lock.db')
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return null
  const db = new DatabaseSync(path, { readOnly: true, timeout: 0 })
  try {
    db.exec('begin; select count(*) from sqlite_schema; rollback')
    return null
  } catch (error) {
    const trouble = fromSqlite(error, HELD)
    if (trouble.message !== HELD) throw trouble
    return { pid: readPid(join(folder, 'lock.pid')) }
  } finally {
    db.close()
  }
}

function held(folder: string, pidFile: string): CarrelError {
  const pid = readPid(pidFile)
  const who = pid === null ? 'Another process' : `Process ${pid}`
  return new CarrelError(
    'unavailable',
    `${who} is using the data folder ${folder}. Stop that one first, or start with another data folder.`,
    { folder, pid },
  )
}

function readPid(pidFile: string): number | null {
  try {
    return Number.parseInt(readFileSync(pidFile, 'utf8'), 10) || null
  } catch {
    return null
  }
}
