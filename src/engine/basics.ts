import type { Cgroups } from '../host/cgroups/cgroups.ts'
import type { Containment } from '../host/process/containment.ts'
import type { Sandboxes } from '../host/sandbox/probe.ts'
import type { IdNoun } from '../model/ids.ts'
import type { Config } from '../model/settings/config.ts'
import type { AwakeClock } from '../primitives/awake-clock.ts'
import type { Bell } from '../store/bell.ts'
import type { Store } from '../store/store.ts'
import type { DataPause } from './data-pause.ts'
import type { Log } from './log.ts'
import type { Machines } from './nodes/machines.ts'
import type { Vault } from './vault.ts'

/** The clock, identifiers, settings, data and log that every room uses. */
export interface Basics {
  readonly config: Config
  readonly store: Store
  readonly bell: Bell
  readonly vault: Vault
  /** ms since 1970. */
  readonly now: () => number
  /** Tells time awake from time asleep, which counts for no expiry and no budget. */
  readonly awake: AwakeClock
  /** Returns a new identifier. Identifiers sort by time. */
  readonly id: (noun: IdNoun) => string
  readonly log: Log
  readonly machines: Machines
  readonly pause: DataPause
}

export interface MachineFacts {
  readonly version: string
  readonly startedAt: number
  /** The server's own environment. Child processes get an allow-list of it (P3). */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly containment: Containment
  readonly sandboxes: Sandboxes
  /** Enforces limits of memory and processes, where this machine can. */
  readonly cgroups: Cgroups
  /** Returns 16 letters and digits for the name of a preview: the same for the same key, and not guessable. */
  readonly previewCode: (key: string) => string
}
