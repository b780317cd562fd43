import { renameSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { asCarrelError, CarrelError } from '../../../model/errors.ts'
import { isAbsent } from '../../../primitives/absent-as-null.ts'
import { messageOf } from '../../../primitives/message-of.ts'

/** Schema of `files.db`, as steps from an empty file. A file with more steps than this program knows is refused. */
const STEPS: readonly string[] = [
  `
  create table places (
    id integer primary key,
    key text not null unique,
    workspace text not null,
    space text not null,
    project text,
    newest integer not null default 0,
    -- Files and links that stand now; bytes of content that came in by this place first.
    files integer not null default 0,
    bytes integer not null default 0,
    imported integer not null default 0,
    rules text not null default ''
  );
  -- Content by its SHA-256. Of each blob either data is here, or a file beside the database has it (data is null), or
  -- it is gone and only its name stays, because old states still say it.
  create table blobs (
    id integer primary key,
    digest blob not null unique,
    size integer not null,
    stored integer not null,
    packed integer not null,
    data blob,
    refs integer not null,
    gone integer not null default 0,
    -- The place whose bytes these are.
    owner integer
  );
  -- One row for each stretch of snapshots during which a path had one state; the present ones have no end, and what
  -- lstat said of them when they were looked at last. kept = 0: thinned out, does not hold its content.
  create table files (
    place integer not null,
    path blob not null,
    since integer not null,
    until integer,
    kind integer not null,
    mode integer not null,
    size integer not null,
    blob integer,
    kept integer not null default 1,
    mtime real, ctime real, ino real, racy integer,
    primary key (place, path, since)
  ) without rowid;
  -- Who changed what: nothing for the first snapshot, which nobody made.
  create table changes (
    place integer not null,
    n integer not null,
    path blob not null,
    author integer not null,
    certainty text not null,
    primary key (place, n, path)
  ) without rowid;
  create index changes_of_path on changes (place, path);
  create index changes_of_author on changes (author);
  create table authors (
    id integer primary key,
    kind text not null,
    act text,
    author text not null unique
  );
  create index authors_of_act on authors (act) where act is not null;
  -- The runs that an author is, or may be.
  create table author_runs (
    run text not null,
    session text not null,
    author integer not null,
    primary key (run, author)
  ) without rowid;
  create index author_sessions on author_runs (session, author);
  create table snapshots (
    place integer not null,
    n integer not null,
    at integer not null,
    reason text not null,
    author integer,
    created integer not null, modified integer not null, deleted integer not null,
    pinned integer not null default 0,
    -- 0: thinned out; the row stays, because changes have their time from it. -1: that is being done.
    kept integer not null default 1,
    primary key (place, n)
  ) without rowid;
  create index snapshots_by_time on snapshots (at, place, n);
  create table marks (
    place integer not null,
    run text not null,
    session text not null,
    what text not null,
    n integer not null,
    at integer not null,
    primary key (place, run, what)
  ) without rowid;
  create table gaps (
    place integer not null,
    path blob not null,
    why text not null,
    bytes integer,
    primary key (place, path)
  ) without rowid;
  `,
  `
  create table acts (
    n integer primary key,
    id text not null unique,
    place text not null,
    act text not null
  );
  create index acts_of_place on acts (place, n);
  -- What is being carried out: one act in a place at a time.
  create table journal (
    place text primary key,
    phase text not null,
    job text not null
  ) without rowid;
  `,
  `
  -- Null: a change of a file. 'coverage': the path left the history or came back, and nobody need have changed it.
  -- 'brought': its content is older than the change, and came from outside of the history. 'named': by a run that named
  -- the path. With this step files.kept = 2 marks a stretch without coverage: something may have stood there.
  alter table changes add column note text;
  -- Inode and birth, by which a left-out path is known again where it was moved to.
  alter table gaps add column identity text;
  `,
  `
  -- The identity of the place's folder; empty until it is seen.
  alter table places add column root text not null default '';
  -- Owner, group and extended attributes of paths that differ from those of the place's folder, as last seen.
  create table attributes (
    place integer not null,
    path blob not null,
    attributes text not null,
    primary key (place, path)
  ) without rowid;
  `,
]

/**
 * Opens or makes the database. A damaged one is moved aside with its log, and a new one begins: the files themselves
 * are safe, only their past is lost. `problem` says so then; else it is null.
 * @throws unavailable when a newer Carrel wrote it, or the disk refuses
 */
export function openDb(path: string, now: number): { db: DatabaseSync; problem: string | null } {
  try {
    return { db: openChecked(path), problem: null }
  } catch (error) {
    if (!isDamage(error)) throw explainError(error)
  }
  const aside = `${path}.damaged-${now}`
  for (const suffix of ['', '-wal', '-shm']) moveAside(`${path}${suffix}`, `${aside}${suffix}`)
  const problem = `The history of files was damaged, and a new one begins; the old one is in ${aside}.`
  return { db: openChecked(path), problem }
}

function openChecked(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 5_000 })
  try {
    // This pragma works only before the first table; it lets a sweep return pages to the disk.
    db.exec('pragma auto_vacuum = incremental')
    db.exec('pragma journal_mode = wal; pragma synchronous = full; pragma temp_store = memory')
    db.exec('pragma cache_size = -32768; pragma wal_autocheckpoint = 4000; pragma journal_size_limit = 33554432')
    const version = Number(db.prepare('pragma user_version').get()?.user_version ?? 0)
    if (version > STEPS.length) throw tooNew(version)
    for (const [index, step] of STEPS.entries()) {
      if (index >= version) db.exec(`begin immediate; ${step}; pragma user_version = ${index + 1}; commit`)
    }
    // A torn page shows only when it is read: this reads the roots of all tables at once.
    db.exec('select count(*) from places; select 1 from files limit 1; select 1 from blobs limit 1')
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function tooNew(version: number): CarrelError {
  const text = `The history of files was written by a newer Carrel (its schema is ${version}, this program knows ${STEPS.length}). Use that Carrel, or another data folder.`
  return new CarrelError('unavailable', text)
}

function moveAside(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (thrown) {
    // A file that cannot be moved must not block the new database.
    if (!isAbsent(thrown)) rmSync(from, { force: true })
  }
}

/** Both result codes by which SQLite reports a damaged database. @see https://sqlite.org/rescode.html */
const isDamage = (error: unknown): boolean => [11, 26].includes(resultCode(error) ?? -1)

function resultCode(thrown: unknown): number | null {
  const { code, errcode } = (thrown ?? {}) as { code?: unknown; errcode?: unknown }
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : null
}

const TROUBLE: Readonly<Record<number, string>> = {
  5: 'The history of files is in use by another program. Stop that one, then try again.',
  6: 'The history of files is in use by another program. Stop that one, then try again.',
  8: 'The history of files cannot be written: its file or folder is read-only. Give write access, then try again.',
  10: 'The disk of the history of files reported an error. Nothing was stored. Check the disk, then try again.',
  11: 'The history of files is damaged. Start Carrel again: it begins a new one beside it.',
  13: 'The disk is full. The changes were not stored. Make room, then try again.',
  14: 'The history of files cannot be opened. Check that its folder exists and is writable.',
}
const DISK_FULL = new Set(['ENOSPC', 'EDQUOT'])

/** Whether SQLite or the file system threw the error because the disk is full. */
export function isFull(thrown: unknown): boolean {
  const { code, cause } = (thrown ?? {}) as { code?: unknown; cause?: unknown }
  if (thrown instanceof CarrelError) return isFull(cause)
  return (typeof code === 'string' && DISK_FULL.has(code)) || resultCode(thrown) === 13 || isShmFull(thrown)
}

/** SQLITE_IOERR_SHMSIZE: there was no space even for the index of the log. */
const isShmFull = (thrown: unknown): boolean => (thrown as { errcode?: unknown } | null)?.errcode === 4874

/** Turns an error of SQLite or the file system into a sentence that says what to do. */
export function explainError(thrown: unknown): CarrelError {
  if (thrown instanceof CarrelError) return thrown
  const result = isFull(thrown) ? 13 : resultCode(thrown)
  const sentence = result === null ? undefined : TROUBLE[result]
  if (sentence === undefined) return asCarrelError(thrown)
  return new CarrelError('unavailable', sentence, { detail: messageOf(thrown) }, thrown)
}

/** Runs `work` in one transaction: durable when this returns, or without effect. */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('begin immediate')
  try {
    const result = work()
    db.exec('commit')
    return result
  } catch (error) {
    // A full disk may have ended the transaction already.
    if (db.isTransaction) db.exec('rollback')
    throw error
  }
}

/** Runs repeatable `work` atomically, without waiting for the disk: durable only with the next durable transaction. */
export function inTransactionSoon<T>(db: DatabaseSync, work: () => T): T {
  db.exec('pragma synchronous = normal')
  try {
    return inTransaction(db, work)
  } finally {
    db.exec('pragma synchronous = full')
  }
}
