import type { WorkspaceId } from '../../model/ids.ts'
import type { WorkspaceChange } from '../../model/workspace-log.ts'
import type { Ring } from '../store.ts'
import type { Dialect } from './dialect.ts'

export type Value = string | number | null
export type Row = Record<string, Value>
type Awaitable<T> = T | Promise<T>

/** Column name -> its type on engines that ask for one. */
export type Columns = Readonly<Record<string, 'text' | 'bigint' | 'tsvector'>>

/**
 * One transaction on one engine, as small as the SQL of this folder needs. Placeholders are `$1`, `$2` ...;
 * values are texts, integers and null; JSON is opaque text; booleans are 0 and 1.
 */
export interface Tx {
  readonly dialect: Dialect
  all<R = Row>(sql: string, ...values: Value[]): Awaitable<R[]>
  get<R = Row>(sql: string, ...values: Value[]): Awaitable<R | undefined>
  /** @returns how many rows it changed */
  run(sql: string, ...values: Value[]): Awaitable<number>
  /** Inserts many rows, each in the order of `columns`. `conflict` is an `on conflict ...` clause, or empty. */
  insertMany(table: string, columns: Columns, rows: readonly Value[][], conflict?: string): Awaitable<void>
  /** What it tells workspaces: written together right before the commit, see `tell`. */
  readonly lines: Told[]
  /** Rung after the commit, never when the transaction fails. */
  readonly rings: Ring[]
}

/** A line for the log of a workspace, before it has its number. */
export interface Told {
  readonly workspace: WorkspaceId
  readonly at: number
  readonly change: WorkspaceChange
}

/** One ring for each log: the highest head, due when any of them was. */
export function coalesce(rings: readonly Ring[]): Ring[] {
  const byLog = new Map<string, Ring>()
  for (const ring of rings) {
    const known = byLog.get(ring.log)
    const head = Math.max(ring.head, known?.head ?? 0)
    byLog.set(ring.log, { log: ring.log, head, due: ring.due || (known?.due ?? false) })
  }
  return [...byLog.values()]
}
