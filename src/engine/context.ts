import type { Cgroups } from '../host/cgroups/cgroups.ts'
import type { History } from '../host/history/history.ts'
import type { Places } from '../host/places/place.ts'
import type { Containment } from '../host/process/containment.ts'
import type { Sandboxes } from '../host/sandbox/probe.ts'
import type { Config } from '../model/config.ts'
import type { IdNoun } from '../model/ids.ts'
import type { Bell } from '../store/bell.ts'
import type { Store } from '../store/store.ts'
import type { AgentDirectory } from './agents/agent-directory.ts'
import type { AgentPool } from './agents/agent-pool.ts'
import type { Homes } from './agents/homes.ts'
import type { BrowserPool } from './browsers/browser-pool.ts'
import type { PlaceActivities } from './files/place-activities.ts'
import type { PlaceBuilder } from './files/place-builder.ts'
import type { ProjectPlaces } from './files/project-places.ts'
import type { SpaceLocks } from './files/space-locks.ts'
import type { Leases } from './leases.ts'
import type { Log } from './log.ts'
import type { PromptDoor } from './run/arriving-prompt.ts'
import type { Spending } from './run/spending.ts'
import type { Vault } from './vault.ts'

/** The clock, identifiers, settings, data and log that every room uses. */
export interface Basics {
  readonly config: Config
  readonly store: Store
  readonly bell: Bell
  readonly vault: Vault
  /** ms since 1970. */
  readonly now: () => number
  /** Returns a new identifier. Identifiers sort by time. */
  readonly id: (noun: IdNoun) => string
  readonly log: Log
}

/** Facts about this server and its machine. */
export interface MachineFacts {
  /** Names this node as a holder of leases. Stays the same on a data folder, so that a restart releases them at once. */
  readonly node: string
  readonly version: string
  readonly startedAt: number
  /** The server's own environment. Child processes get an allow-list of it (P3). */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The person's home folder. */
  readonly home: string
  readonly containment: Containment
  /** The kinds of sandboxes that this machine can enforce. */
  readonly sandboxes: Sandboxes
  /** Enforces limits of memory and processes, where this machine can. */
  readonly cgroups: Cgroups
  /** Returns 16 letters and digits for the name of a preview: the same for the same key, and not guessable. */
  readonly previewCode: (key: string) => string
}

/** Agent processes, their homes and their browsers. */
export interface AgentRooms {
  readonly agents: AgentDirectory
  readonly pool: AgentPool
  readonly homes: Homes
  readonly browsers: BrowserPool
}

/** The files of projects: working copies, their history and the runs at work in them. */
interface FileRooms {
  /** The history of files in this node's places. Its thread starts with the first place that is opened. */
  readonly history: () => Promise<History>
  /** The working copies of projects. */
  readonly places: () => Promise<Places>
  readonly projectPlaces: ProjectPlaces
  readonly activities: PlaceActivities
  readonly spaceLocks: SpaceLocks
  readonly placeBuilder: PlaceBuilder
}

/** Sessions that this node holds, and what their runs spend. */
interface RunRooms {
  readonly promptDoor: PromptDoor
  readonly leases: Leases
  readonly spending: Spending
  /** Returns the number of sessions that this node holds at the moment. */
  readonly held: () => number
}

/**
 * All parts of the engine, put together by `open.ts`. Clock, identifiers and environment come from here and nowhere
 * else. Functions that need a few parts take a `Pick` of this, or of one of its rooms.
 */
export interface Context extends Basics, MachineFacts, AgentRooms, FileRooms, RunRooms {}
