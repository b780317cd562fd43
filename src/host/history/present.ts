import type { DatabaseSync } from 'node:sqlite'
import type { FilePath, FileState } from '../../model/history.ts'
import { pathBytes, pathOf, rangeBelow } from './paths.ts'

/** What stands at a path by the last capture, and what lstat said then. */
export interface Known {
  readonly kind: number
  readonly mode: number
  readonly size: number
  readonly blob: number | null
  readonly since: number
  readonly mtime: number | null
  readonly ctime: number | null
  readonly ino: number | null
  /** Written so close to the look that a later write could look the same. */
  readonly racy: boolean
}

export const KINDS = ['file', 'link', 'folder'] as const
export const FILE = 0
export const LINK = 1
export const FOLDER = 2

/** The present rows of one place. Read path by path, or all at once into memory for a walk. */
export interface Present {
  get(path: FilePath): Known | null
  below(path: FilePath): Map<FilePath, Known>
  /** All of them; stays in memory, and right, until `drop`. */
  all(): ReadonlyMap<FilePath, Known>
  drop(): void
  /** Within a transaction: what is known ends before `n`, for good or because it is no longer covered. */
  end(path: FilePath, known: Known, n: number): void
  begin(path: FilePath, known: Known): void
  /** Within a transaction: the same content, looked at anew. */
  touch(path: FilePath, known: Known): void
  /** After a rollback: what is in memory may be wrong. */
  forget(): void
  count(): number
}

interface Row {
  readonly path: Uint8Array
  readonly kind: number
  readonly mode: number
  readonly size: number
  readonly blob: number | null
  readonly since: number
  readonly mtime: number | null
  readonly ctime: number | null
  readonly ino: number | null
  readonly racy: number | null
}

const COLUMNS = 'kind, mode, size, blob, since, mtime, ctime, ino, racy'
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

export function openPresent(db: DatabaseSync, place: number): Present {
  const one = db.prepare(
    `select ${COLUMNS} from files where place = ? and path = ? and until is null order by since desc`,
  )
  const range = db.prepare(
    `select path, ${COLUMNS} from files where place = ? and path >= ? and path < ? and until is null order by path`,
  )
  // Text is read far faster than bytes; what is no text shows itself by U+FFFD and is read again.
  const every = db.prepare(`select cast(path as text) as path, ${COLUMNS} from files where place = ? and until is null`)
  const bytes = db.prepare(`select path, ${COLUMNS} from files where place = ? and until is null`)
  const ended = db.prepare(
    'update files set until = ?, mtime = null, ctime = null, ino = null, racy = null where place = ? and path = ? and since = ?',
  )
  const begun = db.prepare(
    'insert into files (place, path, since, kind, mode, size, blob, mtime, ctime, ino, racy) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const touched = db.prepare(
    'update files set mtime = ?, ctime = ?, ino = ?, racy = ? where place = ? and path = ? and since = ?',
  )
  const counted = db.prepare('select files from places where id = ?')
  const count = db.prepare('update places set files = files + ? where id = ?')
  const tally = ({ kind }: Known, by: number) => {
    if (kind !== FOLDER) count.run(by, place)
  }
  let memory: Map<FilePath, Known> | null = null

  const load = () => {
    const map = new Map<FilePath, Known>()
    let odd = false
    for (const row of every.iterate(place) as Iterable<Row & { readonly path: never }>) {
      const path = row.path as string
      if (path.includes('\ufffd')) odd = true
      else map.set(path, knownOf(row))
    }
    if (odd) for (const row of bytes.iterate(place) as Iterable<Row>) map.set(pathOf(row.path), knownOf(row))
    return map
  }
  const get = (path: FilePath) => {
    if (memory) return memory.get(path) ?? null
    const row = one.get(place, pathBytes(path)) as Row | undefined
    return row ? knownOf(row) : null
  }
  return {
    get,
    below(path) {
      const { from, to } = rangeBelow(path)
      return new Map((range.all(place, from, to) as unknown as Row[]).map((row) => [pathOf(row.path), knownOf(row)]))
    },
    all() {
      memory ??= load()
      return memory
    },
    drop: () => (memory = null),
    forget: () => (memory = null),
    end(path, known, n) {
      ended.run(n, place, pathBytes(path), known.since)
      tally(known, -1)
      memory?.delete(path)
    },
    begin(path, known) {
      const { kind, mode, size, blob, since, mtime, ctime, ino, racy } = known
      begun.run(place, pathBytes(path), since, kind, mode, size, blob, mtime, ctime, ino, racy ? 1 : 0)
      tally(known, 1)
      memory?.set(path, known)
    },
    touch(path, known) {
      const { mtime, ctime, ino, racy, since } = known
      touched.run(mtime, ctime, ino, racy ? 1 : 0, place, pathBytes(path), since)
      memory?.set(path, known)
    },
    count: () => Number(counted.get(place)?.files),
  }
}

export function stateOf(row: { kind: number; mode: number; size: number; digest: Uint8Array | null }): FileState {
  return {
    kind: KINDS[row.kind] ?? 'file',
    digest: row.digest ? Buffer.from(row.digest).toString('hex') : null,
    mode: row.mode,
    size: row.size,
  }
}
