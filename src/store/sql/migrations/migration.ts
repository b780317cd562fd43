import type { UpgradeFinding } from '../../../model/upgrade.ts'
import type { Dialect } from '../dialect.ts'
import type { Tx } from '../tx.ts'
import type { KeptRows } from './kept-rows.ts'

/** An SQL statement, or a function for changes that SQL cannot express. A function creates no tables and no indexes. */
export type MigrationStep = string | ((tx: Tx) => Promise<void>)

/** The change from schema n to n + 1, as data. Forward only; the steps of a released migration never change. */
export interface Migration {
  /** Its number and name, as in its file: `0003-fewer-pages`. */
  readonly name: string
  /** One sentence for the person who upgrades. */
  readonly summary: string
  readonly steps: (dialect: Dialect) => MigrationStep[]
  /** Tables whose rows are read or written one by one: duration and disk space grow with them. */
  readonly rewrites?: (dialect: Dialect) => readonly string[]
  /** Rows that are compared before and after, inside the transaction. */
  readonly keeps?: (dialect: Dialect) => readonly KeptRows[]
  /** Finds rows that do not fit the new schema. Changes nothing. */
  readonly preflight?: (tx: Tx) => Promise<UpgradeFinding[]>
}
