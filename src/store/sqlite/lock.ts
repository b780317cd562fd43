import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CarrelError } from '../../model/errors.ts'
import { fromSqlite } from './sqlite-errors.ts'

export interface FolderLock {
  release(): void
}

/**
 * Locks a data folder for this process (S5), by an operating system lock on `lock.db`. The lock ends with the process,
 * however it ends; a mere lock file would outlive a `kill -9`. `lock.pid` names the process, for people only.
 * @throws unavailable while another process holds the folder; message and `data.pid` name its process id
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const pidFile = join(folder, 'lock.pid')
  const db = lock(join(folder, 'lock.db'), folder, pidFile)
  writeFileSync(pidFile, `${process.pid}\n`)
  return {
    release() {
      if (!db.isOpen) return
      // Removed before the lock is released, or else the file of the next process could be removed.
      rmSync(pidFile, { force: true })
      db.close()
    },
  }
}

function lock(path: string, folder: string, pidFile: string): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path, { timeout: 0 })
    // The file serves only as a lock, so it needs no journal on disk.
    db.exec('pragma journal_mode = memory; begin exclusive')
    return db
  } catch (error) {
    if (db?.isOpen) db.close()
    const failure = fromSqlite(error, HELD)
    if (failure.message !== HELD) throw failure
    throw held(folder, pidFile)
  }
}

const HELD = 'held'

/**
 * Returns the process that has locked a data folder. Changes nothing and takes no lock.
 * @returns null for an unlocked folder; `pid` is null when `lock.pid` cannot be read
 */
export function holderOfFolder(folder: string): { readonly pid: number | null } | null {
  const path = join(folder, 'lock.db')
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return null
  const db = new DatabaseSync(path, { readOnly: true, timeout: 0 })
  try {
    db.exec('begin; select count(*) from sqlite_schema; rollback')
    return null
  } catch (error) {
    const failure = fromSqlite(error, HELD)
    if (failure.message !== HELD) throw failure
    return { pid: readPid(join(folder, 'lock.pid')) }
  } finally {
    db.close()
  }
}

function held(folder: string, pidFile: string): CarrelError {
  const pid = readPid(pidFile)
  const holder = pid === null ? 'Another process' : `Process ${pid}`
  return new CarrelError(
    'unavailable',
    `${holder} is using the data folder ${folder}. Stop it first, or start with another data folder.`,
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
