import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { CarrelError } from '../../model/errors.ts'
import type { Author, Change, PlaceLabels } from '../../model/files/history.ts'
import type { ChangeFilter, PlacedChange } from './history.ts'
import { pathBytes, pathOf } from './log/paths.ts'
import { openPast, type Past } from './log/query.ts'

interface Row {
  readonly place: number
  readonly key: string
  readonly workspace: string
  readonly space: PlaceLabels['space']
  readonly project: PlaceLabels['project']
  readonly path: Uint8Array
  readonly n: number
  readonly at: number
  readonly author: string
  readonly certainty: Change['certainty']
}

const labelsOf = ({ workspace, space, project }: PlaceLabels): PlaceLabels => ({ workspace, space, project })

/** Returns the changes of all places with these labels, newest first, with their authors. */
export function changesIn(
  db: DatabaseSync,
  labels: Partial<PlaceLabels> & { workspace: string },
  filter: ChangeFilter,
): PlacedChange[] {
  const [where, values] = conditions(labels, filter)
  const rows = db
    .prepare(
      `select c.place, p.key, p.workspace, p.space, p.project, c.path, c.n, s.at, a.author, c.certainty
       from snapshots s join places p on p.id = s.place
       join changes c on c.place = s.place and c.n = s.n join authors a on a.id = c.author
       where ${where} order by s.at desc, s.place desc, s.n desc, c.path desc limit ?`,
    )
    .all(...values, filter.limit) as unknown as Row[]
  const pasts = new Map<number, Past>()
  return rows.map((row) => {
    const past = pasts.get(row.place) ?? openPast(db, row.place, null)
    pasts.set(row.place, past)
    const path = pathOf(row.path)
    const [before, after] = [past.stateAt(path, row.n - 1), past.stateAt(path, row.n)]
    const { n, at, certainty } = row
    const change: Change = { path, before, after, n, at, author: JSON.parse(row.author) as Author, certainty }
    return { key: row.key, labels: labelsOf(row), change, cursor: cursorOf(row) }
  })
}

function conditions(
  labels: Partial<PlaceLabels> & { workspace: string },
  { author, session, path, cursor }: ChangeFilter,
): [string, SQLInputValue[]] {
  const parts: [string, SQLInputValue[]][] = [["p.workspace = ? and c.note is not 'coverage'", [labels.workspace]]]
  if (labels.space !== undefined) parts.push(['p.space = ?', [labels.space]])
  if (labels.project !== undefined) parts.push(['p.project is ?', [labels.project]])
  if (author !== undefined) parts.push(['a.kind = ?', [author]])
  if (session !== undefined) parts.push(['a.id in (select author from author_runs where session = ?)', [session]])
  if (path !== undefined && path !== '') {
    const bytes = pathBytes(path)
    parts.push(['substr(c.path, 1, ?) = ?', [bytes.length, bytes]])
  }
  if (cursor !== null) parts.push(['(s.at, s.place, s.n, c.path) < (?, ?, ?, ?)', readCursor(cursor)])
  return [parts.map(([text]) => text).join(' and '), parts.flatMap(([, values]) => values)]
}

const cursorOf = ({ at, place, n, path }: Row): string =>
  `${at}.${place}.${n}.${Buffer.from(path).toString('base64url')}`

function readCursor(cursor: string): SQLInputValue[] {
  const found = /^(\d+)\.(\d+)\.(\d+)\.([\w-]*)$/.exec(cursor)
  if (!found) throw new CarrelError('bad_input', 'This cursor is not one of this list. Begin without one.')
  const [, at, place, n, path] = found
  return [Number(at), Number(place), Number(n), Buffer.from(path ?? '', 'base64url')]
}

export function usageOf(db: DatabaseSync): { labels: PlaceLabels; bytes: number; snapshots: number; files: number }[] {
  const rows = db
    .prepare(
      `select p.workspace, p.space, p.project, p.bytes, p.files,
        (select count(*) from snapshots s where s.place = p.id and s.kept = 1) as snapshots from places p order by p.id`,
    )
    .all() as unknown as (PlaceLabels & { bytes: number; files: number; snapshots: number })[]
  return rows.map((row) => ({ labels: labelsOf(row), bytes: row.bytes, snapshots: row.snapshots, files: row.files }))
}
