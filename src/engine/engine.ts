import type { Carrel, Input } from '../api/index.ts'
import type { Sight } from '../model/browser-sight.ts'
import type { Config } from '../model/settings/config.ts'
import type { Caller } from '../model/tree.ts'
import type { Log } from './log.ts'
import type { NodeAccess } from './nodes/access.ts'

/** A running Carrel, as faces use it. `open.ts` creates it. */
export interface Engine {
  readonly config: Config
  /** An access token of the installation: 43 characters, in this data folder, readable by its owner only. */
  readonly token: string
  /** Recognizes tokens and logins: those of any node of the installation. */
  readonly access: NodeAccess
  /** The operator's log, without values of secrets, at the level of `logLevel`. */
  readonly log: Log
  /** Returns the operations for one caller. Each parses its input, authorizes the caller, then acts. */
  carrelFor(caller: Caller): Carrel
  /**
   * Yields the live view of a run's browser until the browser is no longer needed, or `signal` fires. The browser makes
   * pictures only while somebody watches. @throws not_found; gone where the run has no browser that can be watched
   */
  watchBrowser(caller: Caller, run: Input<'runs.get'>, signal: AbortSignal): AsyncGenerator<Sight>
  /** Admits no new runs, parks waiting runs, cancels others, releases leases (S4), ends processes (P1). Idempotent. */
  close(): Promise<void>
}
