import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import {
  type Author,
  type Certainty,
  type Change,
  type FilePath,
  type FileState,
  type Snapshot,
  type SnapshotReason,
  sameState,
} from '../../../model/files/history.ts'
import type { ActId, RunId, SessionId } from '../../../model/ids.ts'
import type { SnapshotQuery } from '../history.ts'
import { comparePaths, pathBytes, pathOf, rangeBelow } from './paths.ts'
import { type StateRow as State, stateOf } from './present.ts'

type ChangedBy = { run: RunId } | { session: SessionId } | { act: ActId } | { n: number } | { readonly since: number }

/** Past of one place, from one table. Never opens a file of the place. */
export interface Past {
  snapshot(n: number): Snapshot | null
  snapshots(filter: SnapshotQuery): Snapshot[]
  stateAt(path: FilePath, n: number): FileState | null
  below(path: FilePath, n: number): FilePath[]
  between(from: number, to: number, page?: { readonly after: FilePath | null; readonly limit: number }): Change[]
  changesBy(by: ChangedBy): Change[]
  /** Newest first. */
  changesOf(path: FilePath, page: { readonly before: number | null; readonly limit: number }): Change[]
  lastChange(path: FilePath): Change | null
  /** The same, with the notes of changes, and with paths that left the history or came back. */
  readonly noted: {
    between(from: number, to: number): Change[]
    changesBy(by: ChangedBy): NotedChange[]
    /** Newest first. */
    changesOf(path: FilePath): NotedChange[]
  }
}

/** Change with its note: see the schema of the database. */
export interface NotedChange extends Change {
  readonly note: 'coverage' | 'brought' | 'named' | null
}

interface StateRow extends State {
  readonly until: number | null
}
interface ChangeRow {
  readonly path: Uint8Array
  readonly n: number
  readonly at: number
  readonly author: string
  readonly certainty: Certainty
  readonly note: NotedChange['note']
}
interface SnapshotRow {
  readonly n: number
  readonly at: number
  readonly reason: SnapshotReason
  readonly author: string | null
  readonly created: number
  readonly modified: number
  readonly deleted: number
  readonly pinned: number
}

const CHANGE = `select c.path, c.n, s.at, a.author, c.certainty, c.note from changes c
  join snapshots s on s.place = c.place and s.n = c.n join authors a on a.id = c.author where c.place = ?`
/** Leaves out paths that left the history or came back: nobody need have changed them. */
const CHANGED = "c.note is not 'coverage'"
/** A snapshot of coverage alone shows no change, so no list has it. */
const SHOWN = 's.n = 1 or s.created + s.modified + s.deleted > 0'
const SNAPSHOT = `select s.n, s.at, s.reason, a.author, s.created, s.modified, s.deleted, s.pinned
  from snapshots s left join authors a on a.id = s.author where s.place = ? and s.kept = 1`
const BY_RUN = 'select author from author_runs where run = ?'
const BY_SESSION = 'select author from author_runs where session = ?'
const ALL = { after: null, limit: -1 }

/** Frozen folder below a view, for unchanged paths. */
export interface Base {
  state(path: FilePath): FileState | null
  below(path: FilePath): FilePath[]
}

export function openPast(db: DatabaseSync, place: number, base: Base | null): Past {
  const state = db.prepare(
    `select f.kind, f.mode, f.size, f.until, f.kept, b.digest from files f left join blobs b on b.id = f.blob
     where f.place = ? and f.path = ? and f.since <= ? order by f.since desc limit 1`,
  )
  const stateAt = (path: FilePath, n: number): FileState | null => {
    const row = state.get(place, pathBytes(path), n) as StateRow | undefined
    if (!row) return base?.state(path) ?? null
    return row.until === null || row.until > n ? stateOf(row) : null
  }
  const stand = db.prepare(
    'select path from files where place = ? and path >= ? and path < ? and since <= ? and (until is null or until > ?) order by path',
  )
  const below = (path: FilePath, n: number) => {
    const { from, to } = rangeBelow(path)
    const paths = (stand.all(place, from, to, n, n) as { path: Uint8Array }[]).map((row) => pathOf(row.path))
    const under = base?.below(path).filter((one) => stateAt(one, n)) ?? []
    const all = under.length === 0 ? paths : [...new Set([...paths, ...under])].sort(comparePaths)
    return stateAt(path, n) ? [path, ...all] : all
  }
  const { snapshot, snapshots } = snapshotQueries(db, place)
  const { between, lastChange, ...changes } = changeQueries(db, place, { stateAt, noted: false })
  const noted = changeQueries(db, place, { stateAt, noted: true })
  return {
    snapshot,
    snapshots,
    stateAt,
    below,
    between,
    lastChange,
    ...changes,
    noted: {
      between: noted.between,
      changesBy: noted.changesBy,
      changesOf: (path) => noted.changesOf(path, { before: null, limit: -1 }),
    },
  }
}

interface How {
  readonly stateAt: (path: FilePath, n: number) => FileState | null
  /** With notes and coverage, or as people see the changes. */
  readonly noted: boolean
}

function changeQueries(db: DatabaseSync, place: number, { stateAt, noted }: How) {
  const chosen = noted ? 'true' : CHANGED
  // For several changes of a path the newest names the author: max() picks that row. The first snapshot has none.
  const differing = db.prepare(
    `select d.path, d.n, s.at, coalesce(a.author, '{"kind":"outside"}') as author, coalesce(c.certainty, 'external') as certainty
     from (
       select path, max(n) as n from (
         select path, n from changes c where place = ?1 and n > ?2 and n <= ?3 and path > ?4 and (?2 = 0 or ${chosen})
         union all select path, 1 from files where ?2 = 0 and place = ?1 and since = 1 and kept < 2 and path > ?4
       ) group by path order by path limit ?5
     ) d join snapshots s on s.place = ?1 and s.n = d.n
     left join changes c on c.place = ?1 and c.n = d.n and c.path = d.path left join authors a on a.id = c.author
     order by d.path`,
  )
  const full = (row: ChangeRow, before: FileState | null, after: FileState | null): NotedChange => {
    const { n, at, certainty, note } = row
    const change = { path: pathOf(row.path), before, after, n, at, author: JSON.parse(row.author) as Author, certainty }
    return (noted ? { ...change, note } : change) as NotedChange
  }
  const step = (row: ChangeRow): NotedChange => {
    const path = pathOf(row.path)
    return full(row, stateAt(path, row.n - 1), stateAt(path, row.n))
  }
  const ask = (where: string, ...values: SQLInputValue[]) =>
    (db.prepare(`${CHANGE} and ${chosen} ${where}`).all(place, ...values) as unknown as ChangeRow[]).map(step)
  const between: Past['between'] = (from, to, { after, limit } = ALL) => {
    const start = after === null ? Buffer.alloc(0) : pathBytes(after)
    const rows = differing.all(place, from, to, start, limit) as unknown as ChangeRow[]
    const changes = rows.map((row) => full(row, stateAt(pathOf(row.path), from), stateAt(pathOf(row.path), to)))
    // From nothing on all content of the snapshot counts, as far as it is known.
    const found = changes.filter(
      ({ before, after }) => !sameState(before, after) && (from > 0 || after?.uncovered === undefined),
    )
    const last = rows.at(-1)
    // A reverted change is no difference. A page with only such changes must not look like the last one.
    if (found.length === 0 && last && rows.length === limit)
      return between(from, to, { after: pathOf(last.path), limit })
    return found
  }
  return {
    between,
    changesBy(by: ChangedBy): NotedChange[] {
      const order = 'order by c.n, c.path'
      if ('n' in by) return ask(`and c.n = ? ${order}`, by.n)
      if ('since' in by) return ask(`and c.n > ? ${order}`, by.since)
      if ('act' in by) return ask(`and c.author in (select id from authors where act = ?) ${order}`, by.act)
      if ('run' in by) return ask(`and c.author in (${BY_RUN}) ${order}`, by.run)
      return ask(`and c.author in (${BY_SESSION}) ${order}`, by.session)
    },
    changesOf(
      path: FilePath,
      { before, limit }: { readonly before: number | null; readonly limit: number },
    ): NotedChange[] {
      const last = before ?? Number.MAX_SAFE_INTEGER
      return ask('and c.path = ? and c.n < ? order by c.n desc limit ?', pathBytes(path), last, limit)
    },
    lastChange: (path: FilePath): Change | null =>
      ask('and c.path = ? order by c.n desc limit 1', pathBytes(path))[0] ?? null,
  }
}

function snapshotQueries(db: DatabaseSync, place: number) {
  const snapshotOf = (row: SnapshotRow): Snapshot => ({
    n: row.n,
    at: row.at,
    reason: row.reason,
    author: row.author === null ? null : (JSON.parse(row.author) as Author),
    counts: { created: row.created, modified: row.modified, deleted: row.deleted },
    pinned: row.pinned === 1,
  })
  const one = db.prepare(`${SNAPSHOT} and s.n = ?`)
  const conditions = ({ run, session, path }: SnapshotQuery): [string, SQLInputValue[]] => {
    const changed = `exists (select 1 from changes c where c.place = s.place and c.n = s.n and ${CHANGED}`
    const parts: [string, SQLInputValue[]][] = []
    if (run !== undefined) parts.push([`${changed} and c.author in (${BY_RUN}))`, [run]])
    if (session !== undefined) parts.push([`${changed} and c.author in (${BY_SESSION}))`, [session]])
    if (path !== undefined) {
      const { from, to } = rangeBelow(path)
      parts.push([`${changed} and (c.path = ? or c.path >= ? and c.path < ?))`, [pathBytes(path), from, to]])
    }
    return [parts.map(([text]) => ` and ${text}`).join(''), parts.flatMap(([, values]) => values)]
  }
  return {
    snapshot(n: number): Snapshot | null {
      const row = one.get(place, n) as SnapshotRow | undefined
      return row ? snapshotOf(row) : null
    },
    snapshots(filter: SnapshotQuery): Snapshot[] {
      const [text, values] = conditions(filter)
      const before = filter.before ?? Number.MAX_SAFE_INTEGER
      const sql = `${SNAPSHOT} and (${SHOWN}) and s.n < ?${text} order by s.n desc limit ?`
      return (db.prepare(sql).all(place, before, ...values, filter.limit) as unknown as SnapshotRow[]).map(snapshotOf)
    },
  }
}
