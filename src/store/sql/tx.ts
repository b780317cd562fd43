import type { WorkspaceChange } from '../../model/events/workspace-log.ts'
import type { WorkspaceId } from '../../model/ids.ts'
import type { Ring } from '../store.ts'
import type { Dialect } from './dialect.ts'

export type SqlValue = string | number | null
export type SqlRow = Record<string, SqlValue>
type Awaitable<T> = T | Promise<T>

/** Column name -> column type, for engines that need it. */
export type Columns = Readonly<Record<string, 'text' | 'bigint' | 'tsvector'>>

/**
 * One transaction on one engine. Placeholders are `$1`, `$2` ...; values are texts, integers and null; JSON is opaque
 * text; booleans are 0 and 1.
 */
export interface Tx {
  readonly dialect: Dialect
  all<R = SqlRow>(sql: string, ...values: SqlValue[]): Awaitable<R[]>
  get<R = SqlRow>(sql: string, ...values: SqlValue[]): Awaitable<R | undefined>
  /** Runs a statement. @returns the number of changed rows */
  run(sql: string, ...values: SqlValue[]): Awaitable<number>
  /** Inserts many rows, each in the order of `columns`. `conflict` is an `on conflict ...` clause, or empty. */
  insertMany(table: string, columns: Columns, rows: readonly SqlValue[][], conflict?: string): Awaitable<void>
  /** Workspace lines, written together right before the commit (`writeLines`). */
  readonly lines: PendingLine[]
  /** Rings for after the commit. A failed transaction drops them. */
  readonly rings: Ring[]
}

/** A line for a workspace log, before it has a number. */
interface PendingLine {
  readonly workspace: WorkspaceId
  readonly at: number
  readonly change: WorkspaceChange
}

export function coalesce(rings: readonly Ring[]): Ring[] {
  const byLog = new Map<string, Ring>()
  for (const ring of rings) {
    const known = byLog.get(ring.log)
    const head = Math.max(ring.head, known?.head ?? 0)
    byLog.set(ring.log, { log: ring.log, head, due: ring.due || (known?.due ?? false) })
  }
  return [...byLog.values()]
}
