import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { ReportProgress } from '../../model/upgrade.ts'
import { counts, methodsOver, type Port, runRead, type StoreCounts } from '../sql/operations.ts'
import type { Ring, Store, StoreStats } from '../store.ts'
import type { UpgradeOptions } from '../upgrade/copies.ts'
import { copyDatabase } from './sqlite-copy.ts'
import { fromSqlite } from './sqlite-errors.ts'
import { createSearcher } from './sqlite-searcher.ts'
import { sqliteTx } from './sqlite-tx.ts'
import { openWriter } from './writer-thread.ts'

export interface SqliteOptions {
  /** The database file. Its folder must exist. */
  readonly path: string
  /** The error message while another program has locked the database. */
  readonly busyMessage?: string | undefined
  readonly now?: (() => number) | undefined
  /** Options of an upgrade. By default the copy goes into a folder beside the database. */
  readonly upgrade?: Partial<UpgradeOptions> | undefined
  readonly say?: ReportProgress | undefined
}

/**
 * Opens the embedded store. One thread commits all writes. Reads run in this thread over a read-only connection.
 * Searches, which may take long, have a third connection in another thread.
 * @throws unavailable when the file cannot be opened, is damaged, or a newer Carrel wrote it
 */
export async function openSqlite({ path, busyMessage, now, upgrade, say }: SqliteOptions): Promise<Store> {
  const listeners = new Set<(ring: Ring) => void>()
  const toAll = (ring: Ring) => {
    for (const listener of listeners) listener(ring)
  }
  const writer = await openWriter({ path, busyMessage, now: now?.() ?? 0, upgrade }, toAll, say)
  const reader = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
  reader.exec('pragma cache_size = -65536')
  const tx = sqliteTx(reader)
  const searcher = createSearcher({ path, busyMessage })
  const translated = async <T>(read: () => Promise<T>): Promise<T> => {
    try {
      return await read()
    } catch (error) {
      throw fromSqlite(error, busyMessage)
    }
  }
  const port: Port = {
    write: (name, args) => writer.write(name, args),
    read: (name, args) => (name === 'log.search' ? searcher.search(args) : translated(() => runRead(tx, name, args))),
  }
  return {
    engine: 'sqlite',
    ...methodsOver(port),
    onAppend(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    backup: (target) => copyDatabase(path, target),
    stats: async () => statsOf(reader, path, await translated(() => counts(tx))),
    async close() {
      listeners.clear()
      await Promise.all([writer.close(), searcher.close()])
      if (reader.isOpen) reader.close()
    },
  }
}

function statsOf(reader: DatabaseSync, path: string, counts: StoreCounts): StoreStats {
  const row = reader.prepare('select sqlite_version() as version').get()
  const sizes = [path, `${path}-wal`].map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0)
  return {
    engine: 'sqlite',
    version: String(row?.version),
    location: path,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    ...counts,
  }
}
