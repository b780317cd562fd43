import type { SessionId, SpaceId } from '../model/ids.ts'
import type { Machine } from '../model/machine.ts'
import type { Space } from '../model/tree.ts'

/** A machine as it enters itself. The database holds only digests of tokens, and public keys. */
export interface Registration extends Pick<Machine, 'id' | 'name' | 'version'> {
  /** Digest of its access token, by which every node recognizes the token. */
  readonly tokenDigest: string
  /** Public key that verifies its logins. */
  readonly loginKey: string
}

/** The machines of an installation, and the Spaces that they have. */
export interface MachineStore {
  /** Enters a machine, or changes its row. Returns it with a name that no other machine has. Safe to repeat. */
  register(machine: Registration, now: number): Promise<Machine>
  /** Notes that a machine is there. */
  heard(id: string, now: number): Promise<void>
  /** Notes that a machine stopped. */
  left(id: string, now: number): Promise<void>
  /** Returns all machines, by name. */
  list(): Promise<Machine[]>
  /** Returns whether a machine has the access token of this digest. */
  knowsToken(digest: string): Promise<boolean>
  /** Returns the public key that verifies the logins of a machine; null without the machine. */
  loginKey(id: string): Promise<string | null>
  /** Returns the machine of a session; null where no machine has it. */
  ofSession(session: SessionId): Promise<string | null>
  /** Returns the Spaces of all workspaces that a machine has, or with null those that no machine has. */
  spaces(machine: string | null): Promise<Space[]>
  /**
   * Gives a Space to the machine `to`, with its sessions. Returns null where `from` no longer has it.
   * @throws not_found; busy while another machine holds a lease of the Space or of its sessions; bad_input where `to` has
   *   another Space with the same folder
   */
  give(space: SpaceId, move: { readonly from: string | null; readonly to: string }, now: number): Promise<Space | null>
  /** Gives all Spaces to the only machine of an embedded database. Returns their number. */
  giveAll(to: string, now: number): Promise<number>
}

/** The holder of the leases of a machine. */
export const leaseHolderOf = (machine: string): string => `node:${machine}`
