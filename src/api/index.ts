import type { z } from 'zod'
import { admin } from './admin.ts'
import { browsers } from './browsers.ts'
import { environment, ports, secrets } from './environment.ts'
import { files } from './files.ts'
import { interactions } from './interactions.ts'
import { machines } from './machines.ts'
import { retention } from './retention.ts'
import { search } from './search.ts'
import { sessions } from './sessions.ts'
import { tree } from './tree.ts'

/** All operations of Carrel. A new one needs a line here and a function in the engine; the compiler requires both. */
export const operations = {
  ...tree,
  ...sessions,
  ...interactions,
  ...files,
  ...search,
  ...secrets,
  ...environment,
  ...ports,
  ...browsers,
  ...retention,
  ...machines,
  ...admin,
} as const

export type OperationName = keyof typeof operations

/**
 * Tells whether an operation works in a paused data folder: reading, and the end of the pause. A look at a working copy
 * may mount it a second time, beside the server that works there.
 */
export const worksPaused = (name: OperationName): boolean =>
  (operations[name].http[0] === 'GET' && name !== 'places.previewRemoval') || name === 'server.unpause'
/** Input of an operation, before defaults. */
export type Input<N extends OperationName> = z.input<(typeof operations)[N]['input']>
/** Input of an operation after validation, with defaults. */
export type Parsed<N extends OperationName> = z.output<(typeof operations)[N]['input']>
export type Output<N extends OperationName> = z.output<(typeof operations)[N]['output']>

/** Log to follow, from the event after `after`; 0 for the beginning. */
export type FollowTarget =
  | { readonly kind: 'workspace'; readonly workspace: string; readonly after: number }
  | { readonly kind: 'session'; readonly workspace: string; readonly session: string; readonly after: number }

/** Message of a stream. `log`: id of the workspace or session. `json`: the stored event. */
export type Followed =
  | { readonly kind: 'event'; readonly log: string; readonly seq: number; readonly json: string }
  /** All past events were sent: new events follow. `head`: the last `seq` of the log at that time. */
  | { readonly kind: 'caught-up'; readonly log: string; readonly head: number }
  /**
   * Files in a working copy of the workspace may have changed. The history has the changes, no log does, so this message
   * may come too often or get lost. Sent to followers of a workspace, at most a few times a second.
   */
  | { readonly kind: 'files'; readonly log: string }
  /** The list of browsers in the workspace may have changed: see `browsers.list`. Sent like `files`. */
  | { readonly kind: 'browsers'; readonly log: string }
  | { readonly kind: 'ended'; readonly log: string; readonly reason: string }

/** Interface to Carrel. The engine in this process and the client over HTTP both implement it. */
export interface Carrel {
  /**
   * Calls an operation.
   * @param signal ends the wait; the request itself stays submitted
   * @throws CarrelError with a code of the operation's `errors`
   */
  call<N extends OperationName>(name: N, input: Input<N>, signal?: AbortSignal): Promise<Output<N>>
  /**
   * Yields every event after `after` of each target once, in order within its log, until aborted (L6).
   * A reader that stops reading uses a bounded amount of memory (L8).
   */
  follow(targets: readonly FollowTarget[], signal: AbortSignal): AsyncIterable<Followed>
}
