import type { DatabaseSync } from 'node:sqlite'
import { type Author, type Change, type Counts, sameAuthor } from '../../model/history.ts'
import type { RunId, SessionId } from '../../model/ids.ts'
import { type Authors, attributor } from './authors.ts'
import type { Begun } from './begun.ts'
import type { Blobs } from './blobs.ts'
import { inTransaction, inTransactionSoon } from './db.ts'
import { type Findings, type Found, isEmpty, isQuiet, leftOutIn } from './findings.ts'
import type { GapBook } from './gap-book.ts'
import type { Captured, Look } from './history.ts'
import { statsAt } from './look.ts'
import { comparePaths, pathBytes } from './paths.ts'
import { KINDS, type Known, type Present } from './present.ts'

/** Looks that are answered by one: together they are one look with several marks. */
export interface JoinedLook extends Omit<Look, 'mark'> {
  readonly marks: readonly Mark[]
}
export interface Mark {
  readonly run: RunId
  readonly session: SessionId
  readonly what: 'start' | 'end'
}

/** What of one place a record is written to. */
export interface Shelf {
  readonly db: DatabaseSync
  readonly id: number
  readonly root: string
  readonly blobs: Blobs
  readonly authors: Authors
  readonly present: Present
  readonly gaps: GapBook
  readonly begun: Begun
}

export interface Recorder {
  /** The newest snapshot; 0 before the first. */
  newest(): number
  /** Everything that was found, as one snapshot on the disk, or nothing. Without a change there is no new snapshot. */
  record(findings: Findings, look: JoinedLook): Captured
  /** Covers these from the first snapshot on, as nobody's change. `soon`: a loss of power may take it back. */
  cover(findings: Findings, how: 'now' | 'soon'): void
  /** The first snapshot: empty yet, an import or the frozen folder below fills it. */
  begin(now: number): void
}

const TOLD = 200

export function createRecorder(shelf: Shelf): Recorder {
  const { db, id, root, present, gaps } = shelf
  const get = db.prepare('select newest from places where id = ?')
  const set = db.prepare('update places set newest = ? where id = ?')
  const write = statements(shelf)
  const newest = () => Number(get.get(id)?.newest ?? 0)

  const inOne = <T>(work: () => T, transact = inTransaction): T => {
    try {
      return transact(db, work)
    } catch (error) {
      present.forget()
      gaps.forget()
      throw error
    }
  }
  return {
    newest,
    record(findings, look) {
      const n = newest()
      if (isEmpty(findings) && look.marks.length === 0) return unchanged(n, gaps.size)
      // Marks at a snapshot that is safe already: with them would be lost only what came after them too.
      const leftOut = leftOutIn(findings, gaps, (path) => statsAt(root, path) !== undefined)
      const transact = isQuiet(findings) ? inTransactionSoon : inTransaction
      return inOne(() => {
        write.quiet(findings, n)
        const changes = write.changes(findings.changed, look, n + 1)
        const now = changes.length > 0 ? n + 1 : n
        if (changes.length > 0) {
          write.snapshot(now, look, changes)
          set.run(now, id)
        }
        write.marks(look, now)
        return { n: now, counts: countsOf(changes), changes: changes.slice(0, TOLD), gaps: gaps.size, leftOut }
      }, transact)
    },
    cover(findings, how) {
      if (!isEmpty(findings)) inOne(() => write.quiet(findings, 1), how === 'soon' ? inTransactionSoon : inTransaction)
    },
    begin(now) {
      inTransaction(db, () => {
        write.snapshot(1, { reason: 'opened', now, writers: [] }, [])
        set.run(1, id)
      })
    },
  }
}

const unchanged = (n: number, gaps: number): Captured => ({
  n,
  counts: { created: 0, modified: 0, deleted: 0 },
  changes: [],
  gaps,
  leftOut: { came: [], went: [] },
})

function statements({ db, id, blobs, authors, present, gaps, begun }: Shelf) {
  const change = db.prepare('insert into changes (place, n, path, author, certainty) values (?, ?, ?, ?, ?)')
  const forgetChange = db.prepare('delete from changes where place = ? and n = ? and path = ?')
  const forgetRow = db.prepare('delete from files where place = ? and path = ? and since = ?')
  const snapshot = db.prepare(
    'insert into snapshots (place, n, at, reason, author, created, modified, deleted) values (?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const mark = db.prepare('insert or replace into marks (place, run, session, what, n, at) values (?, ?, ?, ?, ?, ?)')
  const digest = db.prepare('select digest from blobs where id = ?')

  const begin = (path: string, { state, stats }: Found, since: number): Known | null => {
    if (!state) return null
    const blob = state.content ? blobs.use(state.content, id) : null
    const { kind, mode, size } = state
    const look = stats ?? { mtime: null, ctime: null, ino: null, racy: false }
    const known = { kind, mode, size, blob, since, ...look }
    present.begin(path, known)
    return known
  }
  const uncover = (path: string, known: Known, n: number) => {
    present.end(path, known, n)
    if (known.since !== n) return
    // It was never seen in a snapshot that somebody could ask for: as if it had not been.
    forgetRow.run(id, pathBytes(path), n)
    forgetChange.run(id, n, pathBytes(path))
    if (known.blob !== null) blobs.release(known.blob)
  }
  const digestOf = ({ blob }: Known) =>
    blob === null ? null : Buffer.from((digest.get(blob) as { digest: Uint8Array }).digest).toString('hex')
  const told = (known: Known | null) =>
    known && { kind: KINDS[known.kind] ?? 'file', digest: digestOf(known), mode: known.mode, size: known.size }

  return {
    /** What is nobody's change. */
    quiet(findings: Findings, n: number) {
      for (const [path, known] of findings.uncovered) uncover(path, known, n)
      for (const [path, found] of findings.covered) begin(path, found, n)
      for (const [path, { known, stats }] of findings.touched) present.touch(path, { ...known, ...stats })
      for (const [path, gap] of findings.gaps) gaps.set(path, gap)
    },
    changes(changed: Findings['changed'], look: JoinedLook, n: number): Change[] {
      const whose = attributor(look, changed, begun)
      const paths = [...changed].sort(([a], [b]) => comparePaths(a, b))
      return paths.map(([path, found]) => {
        const { author, certainty } = whose(path, found)
        const before = found.base ? begin(path, { known: null, state: found.base, stats: null }, 1) : found.known
        if (before) present.end(path, before, n)
        const after = begin(path, found, n)
        change.run(id, n, pathBytes(path), authors.idOf(author, look.writers), certainty)
        return { path, before: told(before), after: told(after), n, at: look.now, author, certainty }
      })
    },
    snapshot(
      n: number,
      { reason, now, writers }: Pick<Look, 'reason' | 'now' | 'writers'>,
      changes: readonly Change[],
    ) {
      const author = onlyAuthor(changes)
      const { created, modified, deleted } = countsOf(changes)
      snapshot.run(id, n, now, reason, author && authors.idOf(author, writers), created, modified, deleted)
    },
    marks({ marks, now }: JoinedLook, n: number) {
      for (const { run, session, what } of marks) mark.run(id, run, session, what, n, now)
    },
  }
}

function onlyAuthor(changes: readonly Change[]): Author | null {
  const [first, ...more] = changes
  return first && more.every(({ author }) => sameAuthor(author, first.author)) ? first.author : null
}

export function countsOf(changes: readonly Pick<Change, 'before' | 'after'>[]): Counts {
  const created = changes.filter(({ before }) => before === null).length
  const deleted = changes.filter(({ after }) => after === null).length
  return { created, deleted, modified: changes.length - created - deleted }
}
