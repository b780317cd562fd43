import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { methodsOver } from '../sql/methods.ts'
import { type Port, type ReadArgs, type ReadResult, runRead } from '../sql/operations.ts'
import type { Ring, Store, StoreStats } from '../store.ts'
import type { Say, UpgradeOptions } from '../upgrade/copies.ts'
import { copyDatabase } from './sqlite-copy.ts'
import { fromSqlite } from './sqlite-errors.ts'
import { createSearcher } from './sqlite-searcher.ts'
import { sqliteTx } from './sqlite-tx.ts'
import { openWriter } from './writer-thread.ts'

export interface SqliteOptions {
  /** The database file; its folder must be there. */
  readonly path: string
  /** What a person reads while another program has locked the database. */
  readonly busyMessage?: string | undefined
  /** ms since 1970, noted beside a migration. */
  readonly now?: (() => number) | undefined
  /** How an older database is upgraded; by default it is copied into a folder beside it. */
  readonly upgrade?: Partial<UpgradeOptions> | undefined
  /** Hears how far an upgrade is. */
  readonly say?: Say | undefined
}

/**
 * Opens the embedded store. Writes are committed together in a thread of their own; reads go on here, beside them,
 * over a second connection that cannot write. Searches, which may take long, have a third in another thread.
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
  const translated = async <T>(doing: () => Promise<T>): Promise<T> => {
    try {
      return await doing()
    } catch (error) {
      throw fromSqlite(error, busyMessage)
    }
  }
  const port: Port = {
    write: (name, args) => writer.write(name, args) as Promise<never>,
    read: (name, args) =>
      name === 'search'
        ? (searcher.search(args as ReadArgs<'search'>) as Promise<never>)
        : translated(() => runRead(tx, name, args) as Promise<never>),
  }
  return {
    engine: 'sqlite',
    ...methodsOver(port),
    onAppend(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    backup: (target) => copyDatabase(path, target),
    stats: async () => statsOf(reader, path, await port.read('counts', undefined as never)),
    async close() {
      listeners.clear()
      await Promise.all([writer.close(), searcher.close()])
      if (reader.isOpen) reader.close()
    },
  }
}

function statsOf(reader: DatabaseSync, path: string, counts: ReadResult<'counts'>): StoreStats {
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
