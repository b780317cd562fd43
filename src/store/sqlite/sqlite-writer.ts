import { DatabaseSync } from 'node:sqlite'
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { Problem } from '../../model/errors.ts'
import type { ReportProgress } from '../../model/upgrade.ts'
import { MIGRATIONS, schemaVersion } from '../sql/migrations/migrate.ts'
import type { Migration } from '../sql/migrations/migration.ts'
import { runWrites, type Write, type WriteName } from '../sql/operations.ts'
import { coalesce, type Tx } from '../sql/tx.ts'
import type { Ring } from '../store.ts'
import type { UpgradeOptions } from '../upgrade/copies.ts'
import { fromSqlite } from './sqlite-errors.ts'
import { sqliteTx } from './sqlite-tx.ts'

/**
 * The only writer of an embedded database, in its own thread so that only writes wait for the disk. Commits all queued
 * writes together (group commit), and acknowledges them after the commit (L5).
 */

export interface WriterOptions {
  readonly path: string
  readonly busyMessage: string | undefined
  readonly now: number
  readonly upgrade?: Partial<UpgradeOptions> | undefined
}

export interface WriteJob extends Write {
  readonly id: number
}
export type ToWriter = { readonly jobs: readonly WriteJob[] } | { readonly close: true }

export interface Done {
  readonly id: number
  readonly result?: unknown
  readonly problem?: Problem
}
export type FromWriter =
  | { readonly ready: true }
  | { readonly upgrading: Parameters<ReportProgress> }
  | { readonly failed: Problem }
  | { readonly done: readonly Done[]; readonly rings: readonly Ring[] }
  | { readonly closed: true }

/** Most jobs in one commit: enough to share the flush, few enough that the first does not wait long. */
const BATCH = 500

/**
 * Opens the database for writing. Copies and upgrades a database with an older schema.
 * @throws unavailable when the upgrade is refused, internal when it fails; then the data is unchanged
 */
export async function openForWriting(
  { path, now, upgrade = {} }: Omit<WriterOptions, 'busyMessage'>,
  migrations: readonly Migration[] = MIGRATIONS,
  say: ReportProgress = () => undefined,
): Promise<DatabaseSync> {
  const db = new DatabaseSync(path, { timeout: 5_000 })
  try {
    db.exec('pragma journal_mode = wal; pragma synchronous = full; pragma temp_store = memory')
    db.exec('pragma cache_size = -65536; pragma wal_autocheckpoint = 4000; pragma journal_size_limit = 67108864')
    const tx = sqliteTx(db)
    const version = await schemaVersion(tx, migrations.length)
    if (version < migrations.length) {
      // Loaded on demand: most starts find the current schema.
      const { copiesBeside, upgradeSqlite } = await import('./sqlite-upgrade.ts')
      const how = { copies: copiesBeside(path), copy: 'make', carrel: 'unknown', ...upgrade } as const
      await upgradeSqlite({ ...how, db, tx, path, version, now, migrations, say })
    }
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * Writes that need no flush of their own. Leases have to survive a crash of this process, but not of the machine, after
 * which no holder is left. Every write under a lease flushes all earlier commits, so no used token is given twice (S1).
 */
const UNFLUSHED: ReadonlySet<WriteName> = new Set([
  'leases.acquire',
  'leases.renew',
  'leases.renewAll',
  'leases.release',
  'leases.releaseAll',
])

function begin(db: DatabaseSync, jobs: readonly WriteJob[]): void {
  const flushed = jobs.some(({ name }) => !UNFLUSHED.has(name))
  db.exec(`pragma synchronous = ${flushed ? 'full' : 'normal'}; begin immediate`)
}

interface Committer {
  readonly db: DatabaseSync
  readonly tx: Tx
  readonly busyMessage: string | undefined
}

/** Commits all jobs in one transaction, or throws and commits none. */
async function commitAll({ db, tx }: Committer, jobs: readonly WriteJob[]): Promise<Done[]> {
  begin(db, jobs)
  const results = await runWrites(tx, jobs)
  db.exec('commit')
  return jobs.map(({ id }, n) => ({ id, result: results[n] }))
}

/** Commits jobs with a savepoint each, so that only failing ones are undone. Slower, so it is the second choice. */
async function commitApart({ db, tx, busyMessage }: Committer, jobs: readonly WriteJob[]): Promise<Done[]> {
  const done: Done[] = []
  begin(db, jobs)
  for (const job of jobs) {
    const { id } = job
    const rung = tx.rings.length
    db.exec('savepoint job')
    try {
      const [result] = await runWrites(tx, [job])
      done.push({ id, result })
      db.exec('release job')
    } catch (error) {
      // A full disk may have ended the whole transaction.
      if (!db.isTransaction) throw error
      db.exec('rollback to job; release job')
      forget(tx, rung)
      done.push({ id, problem: fromSqlite(error, busyMessage).toJSON() })
    }
  }
  db.exec('commit')
  return done
}

/** Drops lines and rings of a failed transaction. */
function forget(tx: Tx, rung: number): void {
  tx.lines.length = 0
  tx.rings.length = rung
}

/** Commits jobs in as few transactions as possible: together, with savepoints, or one by one. */
async function commitJobs(committer: Committer, jobs: readonly WriteJob[]): Promise<Done[]> {
  const { db, tx, busyMessage } = committer
  let last: unknown
  for (const commit of jobs.length === 1 ? [commitAll] : [commitAll, commitApart]) {
    const rung = tx.rings.length
    try {
      return await commit(committer, jobs)
    } catch (error) {
      forget(tx, rung)
      if (db.isTransaction) db.exec('rollback')
      last = error
    }
  }
  const problem = fromSqlite(last, busyMessage).toJSON()
  if (jobs.length === 1) return jobs.map(({ id }) => ({ id, problem }))
  // Jobs that fail together may succeed alone: a small write may still fit on the disk.
  const done: Done[] = []
  for (const job of jobs) done.push(...(await commitJobs(committer, [job])))
  return done
}

function createCommitter(db: DatabaseSync, busyMessage: string | undefined) {
  const committer = { db, tx: sqliteTx(db), busyMessage }
  return async (jobs: readonly WriteJob[]): Promise<FromWriter> => {
    const done = await commitJobs(committer, jobs)
    return { done, rings: coalesce(committer.tx.rings.splice(0)) }
  }
}

/**
 * Puts the write-ahead log into the database. Its files stay, empty: without them a folder that became read-only could
 * not be read.
 */
function emptyLog(db: DatabaseSync): void {
  try {
    db.exec('pragma wal_checkpoint(truncate)')
  } catch {
    // A full disk: the log keeps everything, and the next start puts it into the database.
  }
}

/** Serves the main thread: all queued jobs make one commit, and jobs that arrive meanwhile make the next. */
async function serve(port: MessagePort, { path, busyMessage, now, upgrade }: WriterOptions): Promise<void> {
  const db = await openForWriting({ path, now, upgrade }, MIGRATIONS, (...upgrading) => {
    port.postMessage({ upgrading } satisfies FromWriter)
  })
  const commit = createCommitter(db, busyMessage)
  const queue: WriteJob[] = []
  let busy = false
  let closing = false
  const take = (message: ToWriter) => {
    if ('close' in message) closing = true
    else queue.push(...message.jobs)
  }
  const drain = async () => {
    if (busy) return
    busy = true
    for (;;) {
      for (let more = receiveMessageOnPort(port); more; more = receiveMessageOnPort(port)) take(more.message)
      if (queue.length === 0) break
      port.postMessage(await commit(queue.splice(0, BATCH)))
    }
    busy = false
    if (!closing) return
    emptyLog(db)
    db.close()
    port.postMessage({ closed: true } satisfies FromWriter)
    port.close()
  }
  port.on('message', (message: ToWriter) => {
    take(message)
    void drain()
  })
  port.postMessage({ ready: true } satisfies FromWriter)
}

// Other modules import this file to open a database. Only a thread with these options serves.
const options = workerData as { carrelWriter?: WriterOptions } | null
if (parentPort && options?.carrelWriter) {
  const port = parentPort
  const { carrelWriter } = options
  serve(port, carrelWriter).catch((error: unknown) => {
    const failed = fromSqlite(error, carrelWriter.busyMessage).toJSON()
    port.postMessage({ failed } satisfies FromWriter)
    port.close()
  })
}
