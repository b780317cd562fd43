import type { DatabaseSync } from 'node:sqlite'
import type { FilePath, FileState } from '../../../model/files/history.ts'
import { pathBytes, pathOf, rangeBelow } from './paths.ts'
import { stateOf, UNCOVERED } from './present.ts'

/** Form in which a path left the history, or was found when it came under it. */
export interface Form {
  readonly kind: number
  readonly mode: number
  readonly size: number
}

/**
 * Stretches of snapshots during which a path was not covered. Something may have been there, but its content is not
 * known, so nothing may take such a path for absent.
 */
export type Uncovered = ReturnType<typeof openUncovered>

export function openUncovered(db: DatabaseSync, place: number) {
  const here = `from files where place = ? and until is null and kept = ${UNCOVERED}`
  const one = db.prepare(`select kind, mode, size, since ${here} and path = ?`)
  const range = db.prepare(`select path ${here} and path >= ? and path < ? order by path`)
  const last = db.prepare('select until from files where place = ? and path = ? order by since desc limit 1')
  const close = db.prepare('update files set until = ? where place = ? and path = ? and since = ?')
  const add = db.prepare(
    `insert into files (place, path, since, until, kind, mode, size, kept) values (?, ?, ?, ?, ?, ?, ?, ${UNCOVERED})`,
  )
  const stateIn = (form: Form): FileState => stateOf({ ...form, digest: null, kept: UNCOVERED })
  return {
    /** Returns the uncovered paths at and below a path, as far as they were covered once. */
    within(path: FilePath): FilePath[] {
      const { from, to } = rangeBelow(path)
      const below = (range.all(place, from, to) as { path: Uint8Array }[]).map((row) => pathOf(row.path))
      return one.get(place, pathBytes(path)) ? [path, ...below] : below
    },
    /** Call within a transaction. */
    begin(path: FilePath, form: Form, n: number): FileState {
      const { kind, mode, size } = form
      add.run(place, pathBytes(path), n, null, kind, mode, size)
      return stateIn(form)
    },
    /** Ends the stretch before `n`; one that no snapshot saw begin began with the history. Call within a transaction. */
    end(path: FilePath, form: Form, n: number): FileState {
      const bytes = pathBytes(path)
      const row = one.get(place, bytes) as (Form & { since: number }) | undefined
      if (row) {
        close.run(n, place, bytes, row.since)
        return stateIn(row)
      }
      const since = Number(last.get(place, bytes)?.until ?? 1)
      if (since < n) add.run(place, bytes, since, n, form.kind, form.mode, form.size)
      return stateIn(form)
    },
  }
}
