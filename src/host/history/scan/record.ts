import type { DatabaseSync } from 'node:sqlite'
import { type Author, type Change, type Counts, type FileState, sameAuthor } from '../../../model/files/history.ts'
import type { RunId, SessionId } from '../../../model/ids.ts'
import type { Captured, ScanRequest } from '../history.ts'
import type { Blobs } from '../log/blobs.ts'
import { inTransaction, inTransactionSoon } from '../log/db.ts'
import type { GapBook } from '../log/gap-book.ts'
import { comparePaths, pathBytes } from '../log/paths.ts'
import { KINDS, type Known, type Present } from '../log/present.ts'
import { type Authors, attributor } from './authors.ts'
import { type Findings, type Found, isEmpty, isQuiet, leftOutIn } from './findings.ts'
import { NO_STATS, statsAt } from './inspect.ts'
import type { RunStarts } from './run-starts.ts'

/** Several scan requests answered by one scan, with all their marks. */
export interface JoinedScan extends Omit<ScanRequest, 'mark'> {
  readonly marks: readonly Mark[]
}
export interface Mark {
  readonly run: RunId
  readonly session: SessionId
  readonly what: 'start' | 'end'
}

/** Parts of one place that a record is written to. */
export interface RecorderParts {
  readonly db: DatabaseSync
  readonly id: number
  readonly root: string
  readonly blobs: Blobs
  readonly authors: Authors
  readonly present: Present
  readonly gaps: GapBook
  readonly runStarts: RunStarts
}

export type ScanRecorder = ReturnType<typeof createRecorder>

const TOLD = 200

export function createRecorder(parts: RecorderParts) {
  const { db, id, root, present, gaps } = parts
  const get = db.prepare('select newest from places where id = ?')
  const set = db.prepare('update places set newest = ? where id = ?')
  const write = createWriter(parts)
  const newest = () => Number(get.get(id)?.newest ?? 0)

  const inOne = <T>(work: () => T, transact = inTransaction): T => {
    try {
      return transact(db, work)
    } catch (error) {
      present.drop()
      gaps.forget()
      throw error
    }
  }
  return {
    /** Newest snapshot; 0 before the first. */
    newest,
    /** Stores all findings atomically and durably as one snapshot. Without a change there is no new snapshot. */
    record(findings: Findings, scan: JoinedScan): Captured {
      const n = newest()
      if (isEmpty(findings) && scan.marks.length === 0) return unchanged(n, gaps.size)
      // Marks alone need no sync: their snapshot is durable already, and a power loss would lose only later marks with
      // them.
      const leftOut = leftOutIn(findings, gaps, (path) => statsAt(root, path) !== undefined)
      const transact = isQuiet(findings) ? inTransactionSoon : inTransaction
      return inOne(() => {
        write.quiet(findings, n)
        const changes = write.changes(findings.changed, scan, n + 1)
        const now = changes.length > 0 ? n + 1 : n
        if (changes.length > 0) {
          write.snapshot(now, scan, changes)
          set.run(now, id)
        }
        write.marks(scan, now)
        return { n: now, counts: countsOf(changes), changes: changes.slice(0, TOLD), gaps: gaps.size, leftOut }
      }, transact)
    },
    /** Covers paths from the first snapshot on, without an author. `soon`: a power loss may undo it. */
    cover(findings: Findings, how: 'now' | 'soon'): void {
      if (!isEmpty(findings)) inOne(() => write.quiet(findings, 1), how === 'soon' ? inTransactionSoon : inTransaction)
    },
    /** Makes the first snapshot, which is empty until an import or the frozen folder fills it. */
    begin(now: number): void {
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

function createWriter(parts: RecorderParts) {
  const { db, id, authors, present, gaps, runStarts } = parts
  const states = createStateWriter(parts)
  const change = db.prepare('insert into changes (place, n, path, author, certainty) values (?, ?, ?, ?, ?)')
  const snapshot = db.prepare(
    'insert into snapshots (place, n, at, reason, author, created, modified, deleted) values (?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const mark = db.prepare('insert or replace into marks (place, run, session, what, n, at) values (?, ?, ?, ?, ?, ?)')
  return {
    /** Writes findings that have no author. */
    quiet(findings: Findings, n: number) {
      for (const [path, known] of findings.uncovered) states.uncover(path, known, n)
      for (const [path, found] of findings.covered) states.begin(path, found, n)
      for (const [path, { known, stats }] of findings.touched) present.touch(path, { ...known, ...stats })
      for (const [path, gap] of findings.gaps) gaps.set(path, gap)
    },
    changes(changed: Findings['changed'], scan: JoinedScan, n: number): Change[] {
      const whose = attributor(scan, changed, runStarts)
      const paths = [...changed].sort(([a], [b]) => comparePaths(a, b))
      return paths.map(([path, found]) => {
        const { author, certainty } = whose(path, found)
        const before = found.base ? states.begin(path, { known: null, state: found.base, stats: null }, 1) : found.known
        if (before) present.end(path, before, n)
        const after = states.begin(path, found, n)
        change.run(id, n, pathBytes(path), authors.idOf(author, scan.writers), certainty)
        return { path, before: states.of(before), after: states.of(after), n, at: scan.now, author, certainty }
      })
    },
    snapshot(
      n: number,
      { reason, now, writers }: Pick<ScanRequest, 'reason' | 'now' | 'writers'>,
      changes: readonly Change[],
    ) {
      const author = onlyAuthor(changes)
      const { created, modified, deleted } = countsOf(changes)
      snapshot.run(id, n, now, reason, author && authors.idOf(author, writers), created, modified, deleted)
    },
    marks({ marks, now }: JoinedScan, n: number) {
      for (const { run, session, what } of marks) mark.run(id, run, session, what, n, now)
    },
  }
}

function createStateWriter({ db, id, blobs, present }: RecorderParts) {
  const forgetChange = db.prepare('delete from changes where place = ? and n = ? and path = ?')
  const forgetRow = db.prepare('delete from files where place = ? and path = ? and since = ?')
  const digest = db.prepare('select digest from blobs where id = ?')
  const digestOf = ({ blob }: Known) =>
    blob === null ? null : Buffer.from((digest.get(blob) as { digest: Uint8Array }).digest).toString('hex')
  return {
    begin(path: string, { state, stats }: Found, since: number): Known | null {
      if (!state) return null
      const blob = state.content ? blobs.use(state.content, id) : null
      const { kind, mode, size } = state
      const known = { kind, mode, size, blob, since, ...(stats ?? NO_STATS) }
      present.begin(path, known)
      return known
    },
    uncover(path: string, known: Known, n: number) {
      present.end(path, known, n)
      if (known.since !== n) return
      // No visible snapshot has this state: its row is removed as if it had never been.
      forgetRow.run(id, pathBytes(path), n)
      forgetChange.run(id, n, pathBytes(path))
      if (known.blob !== null) blobs.release(known.blob)
    },
    of: (known: Known | null): FileState | null =>
      known && { kind: KINDS[known.kind] ?? 'file', digest: digestOf(known), mode: known.mode, size: known.size },
  }
}

function onlyAuthor(changes: readonly Change[]): Author | null {
  const [first, ...more] = changes
  return first && more.every(({ author }) => sameAuthor(author, first.author)) ? first.author : null
}

function countsOf(changes: readonly Pick<Change, 'before' | 'after'>[]): Counts {
  const created = changes.filter(({ before }) => before === null).length
  const deleted = changes.filter(({ after }) => after === null).length
  return { created, deleted, modified: changes.length - created - deleted }
}
