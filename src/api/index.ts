import type { z } from 'zod'
import { admin } from './admin.ts'
import { browsers } from './browsers.ts'
import { environment } from './environment.ts'
import { files } from './files.ts'
import { interactions } from './interactions.ts'
import { keeping } from './keeping.ts'
import { ports } from './ports.ts'
import { search } from './search.ts'
import { secrets } from './secrets.ts'
import { sessions } from './sessions.ts'
import { tree } from './tree.ts'

/** Every verb of Carrel. A new one is a line here and a function in the engine; the compiler asks for the second. */
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
  ...keeping,
  ...admin,
} as const

export type OperationName = keyof typeof operations
/** What a caller gives, before defaults. */
export type Input<N extends OperationName> = z.input<(typeof operations)[N]['input']>
/** What an operation works on, after validation. */
export type Parsed<N extends OperationName> = z.output<(typeof operations)[N]['input']>
export type Output<N extends OperationName> = z.output<(typeof operations)[N]['output']>

/** What can be followed, and from where. `after` 0 is from the beginning. */
export type FollowTarget =
  | { readonly kind: 'workspace'; readonly workspace: string; readonly after: number }
  | { readonly kind: 'session'; readonly workspace: string; readonly session: string; readonly after: number }

/** One thing that came down a stream. `log` is the id of the workspace or session; `json` its event as stored. */
export type Followed =
  | { readonly kind: 'event'; readonly log: string; readonly seq: number; readonly json: string }
  /** All that was there is now said: what comes next is news. `head` is the log's last `seq` then. */
  | { readonly kind: 'caught-up'; readonly log: string; readonly head: number }
  /**
   * Files in a place of the workspace may have changed. The history knows what; no log says it, so this may come too
   * often, and one of them may be lost. Comes where a workspace is followed, some times a second at the most.
   */
  | { readonly kind: 'files'; readonly log: string }
  /** Runs of the workspace that have a browser or wait for one may be others: `browsers.list` says. Comes as `files` does. */
  | { readonly kind: 'browsers'; readonly log: string }
  /** The log is not there any more. */
  | { readonly kind: 'ended'; readonly log: string; readonly reason: string }

/** The one way to Carrel: the engine in this process and the client over HTTP are both this. */
export interface Carrel {
  /**
   * @param signal ends a wait: what was asked for stays asked
   * @throws CarrelError with a code of the operation's table
   */
  call<N extends OperationName>(name: N, input: Input<N>, signal?: AbortSignal): Promise<Output<N>>
  /**
   * Gives every event after `after` of each target once, in order within its log, until aborted (L6).
   * A reader that stops reading costs a bounded amount of memory (L8).
   */
  follow(targets: readonly FollowTarget[], signal: AbortSignal): AsyncIterable<Followed>
}
