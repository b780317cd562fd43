import { DatabaseSync } from 'node:sqlite'
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { Problem } from '../../model/errors.ts'
import { MIGRATIONS, schemaVersion } from '../sql/migrations/migrate.ts'
import type { Migration } from '../sql/migrations/migration.ts'
import { runWrites, type Write, type WriteName } from '../sql/operations.ts'
import { coalesce, type Tx } from '../sql/tx.ts'
import type { Ring } from '../store.ts'
import type { Say, UpgradeOptions } from '../upgrade/copies.ts'
import { fromSqlite } from './sqlite-errors.ts'
import { sqliteTx } from './sqlite-tx.ts'

/**
 * The one writer of an embedded database, in a thread of its own so that nobody waits for the disk but those who
 * write. It commits together whatever has queued up (group commit) and acknowledges after the commit (L5).
 */

export interface WriterOptions {
  readonly path: string
  readonly busyMessage: string | undefined
  readonly now: number
  readonly upgrade?: Partial<UpgradeOptions> | undefined
}

/** One write asked of the writer. */
export interface Job extends Write {
  readonly id: number
}
export type ToWriter = { readonly jobs: readonly Job[] } | { readonly close: true }

export interface Done {
  readonly id: number
  readonly result?: unknown
  readonly problem?: Problem
}
export type FromWriter =
  | { readonly ready: true }
  | { readonly upgrading: Parameters<Say> }
  | { readonly failed: Problem }
  | { readonly done: readonly Done[]; readonly rings: readonly Ring[] }
  | { readonly closed: true }

/** Jobs of one commit: enough to share the flush among many, few enough that the first does not wait for long. */
const BATCH = 500

/**
 * Opens the database for writing. One with an older schema is copied and brought to the newest.
 * @throws unavailable when that is refused, internal when it fails; then the data is as it was
 */
export async function openForWriting(
  { path, now, upgrade = {} }: Omit<WriterOptions, 'busyMessage'>,
  migrations: readonly Migration[] = MIGRATIONS,
  say: Say = () => undefined,
): Promise<DatabaseSync> {
  const db = new DatabaseSync(path, { timeout: 5_000 })
  try {
    db.exec('pragma journal_mode = wal; pragma synchronous = full; pragma temp_store = memory')
    db.exec('pragma cache_size = -65536; pragma wal_autocheckpoint = 4000; pragma journal_size_limit = 67108864')
    const tx = sqliteTx(db)
    const version = await schemaVersion(tx, migrations.length)
    if (version < migrations.length) {
      // Loaded only where it is used: most starts find the schema of today.
      const { copiesBeside, upgradeSqlite } = await import('../upgrade/sqlite-upgrade.ts')
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
 * Writes that do not wait for the disk when they are alone. What becomes of a lease outlives this process as it is,
 * and the machine need not: nobody holds one when it has stopped. Whatever is written under a lease is flushed together
 * with all that was committed before it, so no token that ever counted is given twice (S1).
 */
const UNFLUSHED: ReadonlySet<WriteName> = new Set(['acquire', 'renew', 'renewAll', 'release', 'releaseAll'])

function begin(db: DatabaseSync, jobs: readonly Job[]): void {
  const flushed = jobs.some(({ name }) => !UNFLUSHED.has(name))
  db.exec(`pragma synchronous = ${flushed ? 'full' : 'normal'}; begin immediate`)
}

interface Committer {
  readonly db: DatabaseSync
  readonly tx: Tx
  readonly busyMessage: string | undefined
}

/** All in one transaction; where one fails, that is thrown and none is done. */
async function commitAll({ db, tx }: Committer, jobs: readonly Job[]): Promise<Done[]> {
  begin(db, jobs)
  const results = await runWrites(tx, jobs)
  db.exec('commit')
  return jobs.map(({ id }, n) => ({ id, result: results[n] }))
}

/** The same with each for itself: one that fails is undone alone. Savepoints cost time, so they come second. */
async function commitApart({ db, tx, busyMessage }: Committer, jobs: readonly Job[]): Promise<Done[]> {
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
      // A full disk may have ended the whole transaction; then nothing of it can be kept.
      if (!db.isTransaction) throw error
      db.exec('rollback to job; release job')
      forget(tx, rung)
      done.push({ id, problem: fromSqlite(error, busyMessage).toJSON() })
    }
  }
  db.exec('commit')
  return done
}

/** Forgets what a transaction that failed wanted to tell. */
function forget(tx: Tx, rung: number): void {
  tx.lines.length = 0
  tx.rings.length = rung
}

/** Commits jobs in as few transactions as it can: together, else with savepoints, else one by one. */
async function commitJobs(committer: Committer, jobs: readonly Job[]): Promise<Done[]> {
  const { db, tx, busyMessage } = committer
  let last: unknown
  for (const way of jobs.length === 1 ? [commitAll] : [commitAll, commitApart]) {
    const rung = tx.rings.length
    try {
      return await way(committer, jobs)
    } catch (error) {
      forget(tx, rung)
      if (db.isTransaction) db.exec('rollback')
      last = error
    }
  }
  const problem = fromSqlite(last, busyMessage).toJSON()
  if (jobs.length === 1) return jobs.map(({ id }) => ({ id, problem }))
  // What fails together may do alone: a small write still fits where a large one does not.
  const done: Done[] = []
  for (const job of jobs) done.push(...(await commitJobs(committer, [job])))
  return done
}

function createCommitter(db: DatabaseSync, busyMessage: string | undefined) {
  const committer = { db, tx: sqliteTx(db), busyMessage }
  return async (jobs: readonly Job[]): Promise<FromWriter> => {
    const done = await commitJobs(committer, jobs)
    return { done, rings: coalesce(committer.tx.rings.splice(0)) }
  }
}

/** Serves the main thread: whatever has queued up makes one commit, and what comes in meanwhile the next. */
async function serve(port: MessagePort, { path, busyMessage, now, upgrade }: WriterOptions): Promise<void> {
  const db = await openForWriting({ path, now, upgrade }, MIGRATIONS, (...upgrading) => {
    port.postMessage({ upgrading } satisfies FromWriter)
  })
  const commit = createCommitter(db, busyMessage)
  const queue: Job[] = []
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

// This file is also read by those who only open a database: the thread begins where there is one.
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
