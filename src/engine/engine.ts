import type { Carrel } from '../api/index.ts'
import type { Config } from '../model/config.ts'
import type { Caller } from '../model/tree.ts'

/** A running Carrel: what faces hold. `open.ts` makes it. */
export interface Engine {
  readonly config: Config
  /** Proves to be the owner of this installation: 43 characters, kept in the data folder, readable by its owner only. */
  readonly token: string
  /** The verbs, for one caller: parses input, looks what the caller may enter, then acts. */
  carrelFor(caller: Caller): Carrel
  /**
   * Stops in order: no new runs, waiting runs are parked, running ones cancelled, leases given back (S4), processes
   * gone (P1). Safe to repeat.
   */
  close(): Promise<void>
}
