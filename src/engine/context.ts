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
import type { BrowserDesk } from './browsers/browser-desk.ts'
import type { BrowserPool } from './browsers/browser-pool.ts'
import type { Benches } from './files/benches.ts'
import type { Makings } from './files/makings.ts'
import type { PlaceCare } from './files/place-care.ts'
import type { SpaceKeeper } from './files/space-keeper.ts'
import type { Leases } from './leases.ts'
import type { Log } from './log.ts'
import type { PromptDoor } from './run/arriving-prompt.ts'
import type { Spending } from './run/spending.ts'
import type { Vault } from './vault.ts'

/** What every function of the engine works with. Clock, identifiers and environment come from here and nowhere else. */
export interface Context {
  readonly config: Config
  readonly store: Store
  readonly bell: Bell
  readonly promptDoor: PromptDoor
  readonly leases: Leases
  readonly agents: AgentDirectory
  /** The files of this node's places through time; its thread starts with the first place that is opened. */
  readonly history: () => Promise<History>
  /** Where projects keep their files apart. */
  readonly places: () => Promise<Places>
  readonly care: PlaceCare
  readonly benches: Benches
  readonly spaces: SpaceKeeper
  readonly makings: Makings
  readonly pool: AgentPool
  readonly homes: Homes
  readonly browsers: BrowserPool
  readonly browserDesk: BrowserDesk
  readonly vault: Vault
  readonly spending: Spending
  /** Who holds leases here: the same after a restart on the same data folder, so that it may take its own back at once. */
  readonly node: string
  /** 16 letters and digits for the name of a preview: the same for the same words, and guessed by nobody. */
  readonly previewCode: (words: string) => string
  /** ms since 1970. */
  readonly now: () => number
  /** A new identifier; they sort in time. */
  readonly id: (noun: IdNoun) => string
  /** The server's own environment: children get an allow-list of it (P3). */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly startedAt: number
  readonly version: string
  readonly containment: Containment
  /** What agents can be kept in here. */
  readonly sandboxes: Sandboxes
  /** What keeps limits of memory and processes here. */
  readonly cgroups: Cgroups
  /** Sessions that this node holds at the moment. */
  readonly held: () => number
  readonly log: Log
}
