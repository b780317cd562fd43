import type { AgentDirectory } from './agent-directory.ts'
import type { AgentPool } from './agent-pool.ts'
import type { Homes } from './homes.ts'

export interface AgentRooms {
  readonly agents: AgentDirectory
  readonly pool: AgentPool
  readonly homes: Homes
}
