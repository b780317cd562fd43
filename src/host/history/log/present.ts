import type { DatabaseSync } from 'node:sqlite'
import type { FilePath, FileState } from '../../../model/files/history.ts'
import { pathBytes, pathOf, rangeBelow } from './paths.ts'

/** State of a path by the last capture, with its lstat values then. */
export interface Known {
  readonly kind: number
  readonly mode: number
  readonly size: number
  readonly blob: number | null
  readonly since: number
  readonly mtime: number | null
  readonly ctime: number | null
  readonly ino: number | null
  /** True when the file changed so close to the scan that a later write could look the same. */
  readonly racy: boolean
}

export const KINDS = ['file', 'link', 'folder'] as const
/** `files.kept` of a stretch of snapshots during which a path was not covered. */
export const UNCOVERED = 2
export const FILE = 0
export const LINK = 1
export const FOLDER = 2

/** Present rows of one place. Read path by path, or all at once into memory for a walk. */
export type Present = ReturnType<typeof openPresent>

interface Row extends Omit<Known, 'racy'> {
  readonly path: Uint8Array
  readonly racy: number | null
}

const COLUMNS = 'kind, mode, size, blob, since, mtime, ctime, ino, racy'
const HERE = 'place = ? and until is null and kept < 2'
const knownOf = ({ kind, mode, size, blob, since, mtime, ctime, ino, racy }: Row): Known => ({
  kind,
  mode,
  size,
  blob,
  since,
  mtime,
  ctime,
  ino,
  racy: racy === 1,
})

export function openPresent(db: DatabaseSync, place: number) {
  const sql = statements(db)
  let memory: Map<FilePath, Known> | null = null
  const count = ({ kind }: Known, by: number) => {
    if (kind !== FOLDER) sql.count.run(by, place)
  }
  return {
    get(path: FilePath): Known | null {
      if (memory) return memory.get(path) ?? null
      const row = sql.one.get(place, pathBytes(path)) as Row | undefined
      return row ? knownOf(row) : null
    },
    below(path: FilePath): Map<FilePath, Known> {
      const { from, to } = rangeBelow(path)
      const rows = sql.range.all(place, from, to) as unknown as Row[]
      return new Map(rows.map((row) => [pathOf(row.path), knownOf(row)]))
    },
    /** All rows; kept in memory and up to date until `drop`. */
    all(): ReadonlyMap<FilePath, Known> {
      memory ??= load(sql, place)
      return memory
    },
    /** Yields the known folders. */
    *folders(): Iterable<FilePath> {
      for (const [path, { kind }] of this.all()) if (kind === FOLDER) yield path
    },
    /** Drops the memory, which is no longer needed, or may be wrong after a rollback. */
    drop() {
      memory = null
    },
    /** Ends the known state before `n`: it changed, or is no longer covered. Call within a transaction. */
    end(path: FilePath, known: Known, n: number): void {
      sql.end.run(n, place, pathBytes(path), known.since)
      count(known, -1)
      memory?.delete(path)
    },
    begin(path: FilePath, known: Known): void {
      const { kind, mode, size, blob, since, mtime, ctime, ino, racy } = known
      sql.begin.run(place, pathBytes(path), since, kind, mode, size, blob, mtime, ctime, ino, racy ? 1 : 0)
      count(known, 1)
      memory?.set(path, known)
    },
    /** Updates the lstat values of unchanged content. Call within a transaction. */
    touch(path: FilePath, known: Known): void {
      const { mtime, ctime, ino, racy, since } = known
      sql.touch.run(mtime, ctime, ino, racy ? 1 : 0, place, pathBytes(path), since)
      memory?.set(path, known)
    },
    count: (): number => Number(sql.files.get(place)?.files),
  }
}

function statements(db: DatabaseSync) {
  return {
    one: db.prepare(`select ${COLUMNS} from files where ${HERE} and path = ?`),
    range: db.prepare(`select path, ${COLUMNS} from files where ${HERE} and path >= ? and path < ? order by path`),
    texts: db.prepare(`select cast(path as text) as path, ${COLUMNS} from files where ${HERE}`),
    bytes: db.prepare(`select path, ${COLUMNS} from files where ${HERE}`),
    end: db.prepare(
      'update files set until = ?, mtime = null, ctime = null, ino = null, racy = null where place = ? and path = ? and since = ?',
    ),
    begin: db.prepare(
      'insert into files (place, path, since, kind, mode, size, blob, mtime, ctime, ino, racy) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    ),
    touch: db.prepare(
      'update files set mtime = ?, ctime = ?, ino = ?, racy = ? where place = ? and path = ? and since = ?',
    ),
    files: db.prepare('select files from places where id = ?'),
    count: db.prepare('update places set files = files + ? where id = ?'),
  }
}

/** Reads paths as text, far faster than bytes; after one with U+FFFD (not valid text), all again as bytes. */
function load({ texts, bytes }: ReturnType<typeof statements>, place: number): Map<FilePath, Known> {
  const map = new Map<FilePath, Known>()
  let odd = false
  for (const row of texts.iterate(place) as Iterable<Row & { readonly path: never }>) {
    const path = row.path as string
    if (path.includes('\ufffd')) odd = true
    else map.set(path, knownOf(row))
  }
  if (odd) for (const row of bytes.iterate(place) as Iterable<Row>) map.set(pathOf(row.path), knownOf(row))
  return map
}

export function stateOf(row: StateRow): FileState {
  return {
    kind: KINDS[row.kind] ?? 'file',
    digest: row.digest ? Buffer.from(row.digest).toString('hex') : null,
    mode: row.mode,
    size: row.size,
    ...(row.kept === UNCOVERED && { uncovered: true as const }),
  }
}

export interface StateRow {
  readonly kind: number
  readonly mode: number
  readonly size: number
  readonly digest: Uint8Array | null
  readonly kept: number
}
