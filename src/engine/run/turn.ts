import type { RunView } from '../../model/view.ts'
import type { LiveContext, Seat } from '../agents/agent-pool.ts'
import type { Asking } from './asking.ts'
import type { RunFiles } from './run-files.ts'
import type { RunWork } from './run-work.ts'

/** One turn of an agent: a run, the process that serves it and the conversation in it. */
export interface Turn {
  readonly work: RunWork
  readonly run: RunView
  readonly seat: Seat
  readonly live: LiveContext
  readonly asking: Asking
  readonly files: RunFiles
}
