import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KnownSecret } from '../../model/secrets/mask.ts'
import type { Cgroup, LimitReached } from '../cgroups/cgroup.ts'
import type { ProcessIdentity } from '../proc-table.ts'
import type { Containment } from '../process/containment.ts'
import type { Exit } from '../process/process.ts'
import type { ProxyOptions } from '../sandbox/proxy.ts'
import { shortSocket } from '../sandbox/socket-path.ts'
import type { Checkpoint } from './spool.ts'

/**
 * Protocol between a server and a keeper, over a socket in the keeper's folder, in lines. Frames are sent as in the
 * spool (`i12 {...}`, `o13 {...}`), those of the server as `s[@tag] {...}`. Other messages are `m` and one of these
 * objects as JSON.
 */
export type ToKeeper =
  | { readonly say: 'hello'; readonly token: string; readonly after: number }
  | { readonly say: 'mark'; readonly checkpoint: Checkpoint }
  | { readonly say: 'limits'; readonly limits: AgentLimits }
  | { readonly say: 'stop'; readonly eofMs: number; readonly termMs: number }
  | { readonly say: 'kill' }
  /** Confirms the exit: the keeper may end. */
  | { readonly say: 'bye' }

export type FromKeeper =
  | {
      readonly say: 'welcome'
      readonly head: number
      readonly checkpoint: Checkpoint | null
      readonly stderrTail: string
    }
  /** All spooled frames have been sent. */
  | { readonly say: 'replayed' }
  | { readonly say: 'stderr'; readonly text: string }
  /** The agent sent a line over the limit: nothing after it is passed on. */
  | { readonly say: 'too_large' }
  /** The sandbox blocked a connection to this host and port. */
  | { readonly say: 'stopped'; readonly target: string }
  /** The agent and its descendants reached this limit. */
  | { readonly say: 'reached'; readonly reached: LimitReached }
  | { readonly say: 'exit'; readonly exit: Exit }

export interface AgentLimits {
  /** Time after which an agent without a server is ended. ms; 0 ends it with its server. */
  readonly graceMs: number
  /** Time at which an agent without a server is ended; null for never. ms since 1970. */
  readonly deadlineAt: number | null
}

/** Launch of a keeper, sent over stdin: it contains the agent's environment, so it is never on disk. */
export interface KeeperLaunch {
  readonly folder: string
  readonly token: string
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  /** Prefix of the command and its containment that enters the view of a place. */
  readonly enter?: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly containment: Containment
  /** Cgroup that the keeper makes for the agent and stays out of; null for none. */
  readonly cgroup?: Cgroup | null
  readonly ledger: string
  readonly label: string
  readonly stderrPath: string | null
  /** Secret values that must be masked in the agent's stderr. */
  readonly secrets?: readonly KnownSecret[]
  readonly limits: AgentLimits
  readonly maxFrameBytes: number
  /** Proxy of a strict sandbox. The keeper serves it for as long as the agent runs. */
  readonly proxy?: Omit<ProxyOptions, 'onStopped'> | null
}

/** Content of `keeper.json` for a later server. */
export interface KeeperNote {
  readonly token: string
  readonly label: string
  /** Ledger names of the keeper itself and of the agent's tree. */
  readonly keeper: { readonly tree: string; readonly identity: ProcessIdentity }
  readonly agent: { readonly tree: string; readonly identity: ProcessIdentity }
  /** Cgroup of the agent; absent for none. */
  readonly cgroup?: Cgroup
  readonly startedAt: number
}

export const NOTE = 'keeper.json'

/** Returns the socket of a keeper; for a deep folder it lies in the temporary folder. */
export const socketPath = (folder: string): string =>
  shortSocket(join(folder, 'socket'), (name) => join(tmpdir(), `carrel-${name}.sock`), folder)

/** Returns the socket of a browser's gate, in a folder that a sandbox mounts. */
export const gatePath = (folder: string): string =>
  shortSocket(join(folder, 'gate', 'hold'), (name) => join(tmpdir(), `carrel-gate-${name}`, 'hold'), folder)
