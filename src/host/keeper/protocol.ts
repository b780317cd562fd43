import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KnownSecret } from '../../model/mask.ts'
import type { Cgroup, Reached } from '../cgroups/cgroup.ts'
import type { Containment } from '../process/containment.ts'
import type { ProcessIdentity } from '../process/proc-table.ts'
import type { Exit } from '../process/process.ts'
import type { ProxyOptions } from '../sandbox/proxy.ts'
import type { Checkpoint } from './spool.ts'

/**
 * Between a server and a keeper, over a socket in the keeper's folder; one line each. Frames go as they stand in the
 * spool (`i12 {...}`, `o13 {...}`), from the server as `s[@tag] {...}`; everything else is `m` and one of these as JSON.
 */
export type ToKeeper =
  | { readonly say: 'hello'; readonly token: string; readonly after: number }
  | { readonly say: 'mark'; readonly checkpoint: Checkpoint }
  | { readonly say: 'limits'; readonly limits: Limits }
  | { readonly say: 'stop'; readonly eofMs: number; readonly termMs: number }
  | { readonly say: 'kill' }
  /** The end was heard: the keeper may go. */
  | { readonly say: 'bye' }

export type FromKeeper =
  | {
      readonly say: 'welcome'
      readonly head: number
      readonly checkpoint: Checkpoint | null
      readonly stderrTail: string
    }
  /** All that was spooled before has been sent. */
  | { readonly say: 'replayed' }
  | { readonly say: 'stderr'; readonly text: string }
  /** The agent sent a line over the limit: nothing behind it is passed on. */
  | { readonly say: 'too_large' }
  /** The sandbox let no connection through to this host and port. */
  | { readonly say: 'stopped'; readonly target: string }
  /** The agent and what it started reached this limit. */
  | { readonly say: 'reached'; readonly reached: Reached }
  | { readonly say: 'exit'; readonly exit: Exit }

export interface Limits {
  /** Without a server for so long, the agent is ended. ms; 0 ends it with its server. */
  readonly graceMs: number
  /** When nobody is there to do it, the agent is ended at this time; null for never. ms since 1970. */
  readonly deadlineAt: number | null
}

/** What a keeper is started with, over its stdin. Holds the agent's environment, so it is never on disk. */
export interface KeeperLaunch {
  readonly folder: string
  readonly token: string
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  /** Stands before the command and its containment, to start inside the view of a place. */
  readonly enter?: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly containment: Containment
  /** Made for the agent by its keeper, which stays outside; null for none. */
  readonly cgroup?: Cgroup | null
  readonly ledger: string
  readonly label: string
  readonly stderrPath: string | null
  /** Values that must not be kept of what the agent writes to stderr. */
  readonly secrets?: readonly KnownSecret[]
  readonly limits: Limits
  readonly maxFrameBytes: number
  /** The way out of a strict sandbox, which the keeper serves: it is there for as long as the agent. */
  readonly proxy?: Omit<ProxyOptions, 'onStopped'> | null
}

/** What stands in `keeper.json` for a server that comes later. */
export interface KeeperNote {
  readonly token: string
  readonly label: string
  /** The ledger's names of the keeper itself and of the agent's tree. */
  readonly keeper: { readonly tree: string; readonly identity: ProcessIdentity }
  readonly agent: { readonly tree: string; readonly identity: ProcessIdentity }
  /** What the agent is in; absent for none. */
  readonly cgroup?: Cgroup
  readonly startedAt: number
}

export const NOTE = 'keeper.json'

/** Addresses of sockets are short (104 bytes on some systems): one in a deep folder stands in the temporary folder. */
export function socketPath(folder: string): string {
  return short(join(folder, 'socket'), (name) => join(tmpdir(), `carrel-${name}.sock`), folder)
}

/** In a folder of its own, which a sandbox shows. */
export function proxyPath(folder: string): string {
  return short(join(folder, 'out', 'proxy'), (name) => join(tmpdir(), `carrel-${name}`, 'proxy'), folder)
}

/** Of a browser's gate, beside others in a folder of their own, which a sandbox shows. */
export function gatePath(folder: string): string {
  return short(join(folder, 'gate', 'hold'), (name) => join(tmpdir(), `carrel-gate-${name}`, 'hold'), folder)
}

function short(inside: string, elsewhere: (name: string) => string, folder: string): string {
  if (Buffer.byteLength(inside) <= 100) return inside
  return elsewhere(createHash('sha256').update(folder).digest('hex').slice(0, 24))
}
