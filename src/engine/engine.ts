import type { Carrel, Input } from '../api/index.ts'
import type { Sight } from '../model/browser-sight.ts'
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
   * The live view of the browser of a run, until it is over or `signal` fires. Pictures are made while somebody looks only.
   * @throws not_found; gone where it has no browser that can be watched
   */
  watchBrowser(caller: Caller, run: Input<'runs.get'>, signal: AbortSignal): AsyncGenerator<Sight>
  /**
   * Stops in order: no new runs, waiting runs are parked, running ones cancelled, leases given back (S4), processes
   * gone (P1). Safe to repeat.
   */
  close(): Promise<void>
}
