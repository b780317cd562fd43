import type { AgentRooms } from './agents/agent-rooms.ts'
import type { PromptDoor } from './arriving-prompt.ts'
import type { Basics, MachineFacts } from './basics.ts'
import type { BrowserPool } from './browsers/browser-pool.ts'
import type { FileRooms } from './files/file-rooms.ts'
import type { Leases } from './leases.ts'
import type { Spending } from './spending.ts'

interface RunRooms {
  readonly promptDoor: PromptDoor
  readonly leases: Leases
  readonly spending: Spending
  readonly held: () => number
  /** Ends the pause of the data folder and begins the work that waits. @see DataPause.end */
  readonly unpause: () => Promise<string | null>
}

/**
 * All parts of the engine, put together by `open.ts`. Clock, identifiers and environment come from here and nowhere
 * else. Functions that need a few parts take a `Pick` of this, or of one of its rooms.
 */
export interface Context extends Basics, MachineFacts, AgentRooms, FileRooms, RunRooms {
  readonly browsers: BrowserPool
}
