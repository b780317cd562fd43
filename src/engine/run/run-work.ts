import type { Context } from '../context.ts'
import type { HeldLease } from '../leases.ts'
import type { Recorder } from './recorder.ts'

/** What whoever serves a run has in hand: the right to write, and the reasons to stop. */
export interface RunWork {
  readonly ctx: Context
  readonly recorder: Recorder
  readonly lease: HeldLease
  /** The server is being stopped: park what waits, cancel what works, and come to an end. */
  readonly stopping: AbortSignal
}
