import type { Context } from '../context.ts'
import type { HeldLease } from '../leases.ts'
import type { SessionRecorder } from './recorder.ts'

/** Everything that a run's worker needs: its lease, its recorder and the stop signal of the server. */
export interface RunWork {
  readonly ctx: Context
  readonly recorder: SessionRecorder
  readonly lease: HeldLease
  /** Aborted when the server stops: runs that wait are parked, and working agents are cancelled. */
  readonly stopping: AbortSignal
  /** Why this server gave the session up before it took it again; null for no reason. */
  readonly lostBy: string | null
}
