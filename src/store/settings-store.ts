import type { WorkspaceId } from '../model/ids.ts'
import type { SealedSecret, Secret } from '../model/secrets/secrets.ts'
import type { Environment, EnvironmentChange, LeasedPort, SettingsScope } from '../model/settings/environment.ts'

/** The identity of a secret: its scope and name. */
export type SecretHandle = Pick<Secret, 'workspace' | 'space' | 'project' | 'name'>

/** Sealed secrets. The store never sees a plain value. */
export interface SecretStore {
  /** Stores a secret and replaces one of the same handle. @throws not_found without its workspace, Space or project */
  put(secret: SealedSecret): Promise<Secret>
  remove(handle: SecretHandle): Promise<boolean>
  /** Returns secrets by name. */
  list(workspace: WorkspaceId): Promise<SealedSecret[]>
  /** Returns secrets of all workspaces that are sealed under other keys than `key`, in pages behind `after`. */
  sealedOtherwise(key: string, after: SecretHandle | null, limit: number): Promise<SealedSecret[]>
  /** Replaces the seal `was`. Returns false when the secret was changed or removed meanwhile. */
  reseal(secret: SealedSecret, was: string): Promise<boolean>
}

/** The environment settings of each scope around a project; unset ones are empty. */
export interface ScopedEnvironment {
  readonly workspace: Environment
  readonly space: Environment
  readonly project: Environment
}

export interface EnvironmentStore {
  at(scope: SettingsScope): Promise<ScopedEnvironment>
  /** Returns the changed settings of the scope. @throws not_found without its workspace, Space or project */
  change(scope: SettingsScope, change: EnvironmentChange, now: number): Promise<Environment>
}

/** Ports leased to places. A port belongs to one place at a time, across all nodes. */
export interface PortStore {
  /** Returns the ports of one place, or with null of all places in the workspace. */
  of(workspace: WorkspaceId, place: string | null): Promise<LeasedPort[]>
  /** Returns the port numbers leased in all workspaces. */
  taken(): Promise<number[]>
  /** Leases a port. Returns the port that the name has now, maybe an earlier one; null when another place took it. */
  lease(workspace: WorkspaceId, leased: LeasedPort, now: number): Promise<number | null>
  /** Releases all ports of a place. Safe to repeat. */
  release(place: string): Promise<void>
}
