import type { DatabaseSync } from 'node:sqlite'
import { type Author, type Change, type Counts, type FilePath, sameAuthor } from '../../../model/files/history.ts'
import type { RunId, SessionId } from '../../../model/ids.ts'
import type { Captured, ScanRequest } from '../history.ts'
import type { Blobs } from '../log/blobs.ts'
import { inTransaction, inTransactionSoon } from '../log/db.ts'
import type { GapBook } from '../log/gap-book.ts'
import { comparePaths, pathBytes } from '../log/paths.ts'
import type { Present } from '../log/present.ts'
import type { Uncovered } from '../log/uncovered.ts'
import type { AttributeBook } from './attribute-book.ts'
import { type Authors, attributor } from './authors.ts'
import { createCoverage } from './coverage.ts'
import { type Findings, isEmpty, isQuiet, leftOutIn, standingIn } from './findings.ts'
import { statsAt } from './inspect.ts'
import type { SeenBefore } from './moments.ts'
import { createOrigins } from './origins.ts'
import { createStates, type States } from './states.ts'

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
  readonly uncovered: Uncovered
  readonly gaps: GapBook
  readonly attributes: AttributeBook
}

export type ScanRecorder = ReturnType<typeof createRecorder>

const TOLD = 200

export function createRecorder(parts: RecorderParts) {
  const { db, id, root, present, gaps } = parts
  const get = db.prepare('select newest from places where id = ?')
  const set = db.prepare('update places set newest = ? where id = ?')
  const states = createStates(parts)
  const write = createWriter(parts, states)
  const coverage = createCoverage(parts, states)
  const newest = () => Number(get.get(id)?.newest ?? 0)

  const inOne = <T>(work: () => T, transact = inTransaction): T => {
    try {
      return transact(db, work)
    } catch (error) {
      present.drop()
      gaps.forget()
      parts.attributes.forget()
      throw error
    }
  }
  return {
    /** Newest snapshot; 0 before the first. */
    newest,
    /**
     * Stores all findings atomically and durably. Changes make a snapshot; paths that come under the history or leave it
     * are part of it, or make one. A path that changed before it left makes another. Without any there is none.
     * @param seen the times that earlier scans have seen
     */
    record(findings: Findings, scan: JoinedScan, seen: SeenBefore): Omit<Captured, 'unsettled'> {
      const n = newest()
      if (isEmpty(findings) && scan.marks.length === 0) return unchanged(n, gaps.size)
      const isThere = (path: FilePath) => statsAt(root, path) !== undefined
      const leftOut = leftOutIn(findings, gaps, isThere)
      // Marks alone need no sync: their snapshot is durable already, and a power loss would lose only later marks with
      // them.
      const transact = isQuiet(findings) ? inTransactionSoon : inTransaction
      return inOne(() => {
        const changes = write.changes(findings, scan, { n: n + 1, seen })
        const moved = coverage.write(findings, scan, { n: n + 1, isThere, seen: seen.seen })
        write.quiet(findings, n)
        const now = n + Number(changes.length + moved.now > 0) + Number(moved.later > 0)
        if (now > n) write.snapshot(n + 1, scan, changes)
        if (now > n + 1) write.snapshot(n + 2, scan, [])
        if (now > n) set.run(now, id)
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

const unchanged = (n: number, gaps: number): Omit<Captured, 'unsettled'> => ({
  n,
  counts: { created: 0, modified: 0, deleted: 0 },
  changes: [],
  gaps,
  leftOut: { came: [], went: [], entered: [], left: [] },
})

function createWriter(parts: RecorderParts, states: States) {
  const { db, id, root, authors, present, gaps } = parts
  const origins = createOrigins(parts)
  const change = db.prepare('insert into changes (place, n, path, author, certainty, note) values (?, ?, ?, ?, ?, ?)')
  const snapshot = db.prepare(
    'insert into snapshots (place, n, at, reason, author, created, modified, deleted) values (?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const mark = db.prepare('insert or replace into marks (place, run, session, what, n, at) values (?, ?, ?, ?, ?, ?)')
  return {
    /** Writes findings that have no author, and the attributes of all. Call last, since it moves on the gaps. */
    quiet(findings: Findings, n: number) {
      for (const [path, found] of findings.covered) states.begin(path, found, n)
      for (const [path, { known, stats }] of findings.touched) present.touch(path, { ...known, ...stats })
      for (const [path, gap] of findings.gaps) gaps.set(path, gap)
      parts.attributes.noteSeen(standingIn(findings))
    },
    changes(findings: Findings, scan: JoinedScan, { n, seen }: { n: number; seen: SeenBefore }): Change[] {
      const whose = attributor(scan, { root, present, findings, ...seen })
      const noteOf = origins(scan, findings.changed)
      const paths = [...findings.changed].sort(([a], [b]) => comparePaths(a, b))
      return paths.map(([path, found]) => {
        const { author, certainty } = whose(path, found)
        // Before the content is known to the history.
        const note = noteOf(path, found, author)
        const before = states.end(path, found, n)
        const after = states.begin(path, found, n)
        change.run(id, n, pathBytes(path), authors.idOf(author, scan.writers), certainty, note)
        return { path, before, after, n, at: scan.now, author, certainty }
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

function onlyAuthor(changes: readonly Change[]): Author | null {
  const [first, ...more] = changes
  return first && more.every(({ author }) => sameAuthor(author, first.author)) ? first.author : null
}

function countsOf(changes: readonly Pick<Change, 'before' | 'after'>[]): Counts {
  const created = changes.filter(({ before }) => before === null).length
  const deleted = changes.filter(({ after }) => after === null).length
  return { created, deleted, modified: changes.length - created - deleted }
}
