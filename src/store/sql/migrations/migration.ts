import type { UpgradeFinding } from '../../../model/upgrade.ts'
import type { Dialect } from '../dialect.ts'
import type { Tx } from '../tx.ts'
import type { Kept } from './kept-rows.ts'

/** A statement, or more than SQL can say. A step that is a function makes no tables and no indexes. */
export type Step = string | ((tx: Tx) => Promise<void>)

/** The way from schema n to n + 1, as data. Forward only; the steps of a released one never change. */
export interface Migration {
  /** Its number and name, as in its file: `0003-fewer-pages`. */
  readonly name: string
  /** One sentence for the person who upgrades. */
  readonly summary: string
  readonly steps: (dialect: Dialect) => Step[]
  /** Tables whose rows it reads or writes one by one: its duration and the room it takes grow with them. */
  readonly rewrites?: (dialect: Dialect) => readonly string[]
  /** Rows that are compared before and after, inside of the transaction. */
  readonly keeps?: (dialect: Dialect) => readonly Kept[]
  /** Looks for rows that do not fit. Changes nothing. */
  readonly preflight?: (tx: Tx) => Promise<UpgradeFinding[]>
}
