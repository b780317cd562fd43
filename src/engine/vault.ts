import type { KeyRing } from '../host/identity/key-ring.ts'
import { type SecretKey, seal, unseal } from '../host/identity/sealing.ts'
import { CarrelError } from '../model/errors.ts'
import type { WorkspaceId } from '../model/ids.ts'
import { createMask, type KnownSecret, type Mask, NO_MASK } from '../model/secrets/mask.ts'
import { type SealedSecret, type Secret, type SecretPlace, secretsFor } from '../model/secrets/secrets.ts'
import type { SecretHandle, SecretStore } from '../store/settings-store.ts'

/** The only holder of plain values of secrets. Values leave it only into the environment of a run. Masks hide them. */
export interface Vault {
  list(workspace: WorkspaceId): Promise<(Secret & { readable: boolean })[]>
  put(secret: Omit<Secret, 'key'>, value: string): Promise<Secret>
  remove(handle: SecretHandle): Promise<boolean>
  /** Returns the secrets for a run of this agent: name -> value. @throws unavailable when one cannot be unsealed */
  forRun(place: SecretPlace, agent: string): Promise<Record<string, string>>
  /** Returns the mask of all values that this process has known in a workspace. Reads the store if necessary. */
  maskOf(workspace: string): Promise<Mask>
  /** Returns the mask of the values that were read so far, without reading the store. */
  mask(workspace: string): Mask
  /** Returns the known values, for a process that stores the output of an agent. */
  known(workspace: string): KnownSecret[]
  /** The mask of all workspaces, for the operator's log. */
  readonly everywhere: Mask
  /** Seals all values under a new key, in steps. Continues an interrupted rotation. */
  rotate(): Promise<{ key: string; sealed: number; unreadable: number }>
}

const STEP = 100

export function createVault(store: SecretStore, ring: KeyRing): Vault {
  const known = createKnown()
  const read = async (workspace: string) => {
    const rows = await store.list(workspace as WorkspaceId)
    const keys = rows.length > 0 ? await ring.keys().catch(() => []) : []
    known.learn(
      workspace,
      rows.flatMap((row) => unsealed(row, keys)),
    )
    return { rows, keys }
  }
  return {
    async list(workspace) {
      const { rows, keys } = await read(workspace)
      return rows.map(({ sealed: _, ...secret }) => ({
        ...secret,
        readable: keys.some(({ id }) => id === secret.key),
      }))
    },
    async put(secret, value) {
      const key = await ring.sealing()
      // Masked before it is stored, because a run may get it from then on.
      known.learn(secret.workspace, [{ name: secret.name, value }])
      return await store.put({ ...secret, key: key.id, sealed: seal(key, secret, value) })
    },
    remove: (handle) => store.remove(handle),
    async forRun(place, agent) {
      const { rows } = await read(place.workspace)
      const given = secretsFor(rows, place, agent)
      const keys = given.length > 0 ? await ring.keys() : []
      return Object.fromEntries(given.map((row) => [row.name, unseal(keyFor(row, keys, ring), row, row.sealed)]))
    },
    async maskOf(workspace) {
      if (!known.has(workspace)) await read(workspace)
      return known.mask(workspace)
    },
    mask: known.mask,
    known: known.list,
    get everywhere() {
      return known.everywhere()
    },
    rotate: () => rotate(store, ring),
  }
}

/** Returns the value of a row, or nothing without its key: a run that needs the value gets the error. */
function unsealed(row: SealedSecret, keys: readonly SecretKey[]): KnownSecret[] {
  const key = keys.find(({ id }) => id === row.key)
  if (!key) return []
  try {
    return [{ name: row.name, value: unseal(key, row, row.sealed) }]
  } catch {
    return []
  }
}

function keyFor(row: SealedSecret, keys: readonly SecretKey[], { source, own }: KeyRing): SecretKey {
  const key = keys.find(({ id }) => id === row.key)
  if (key) return key
  const where = own ? `as a line of ${source}` : `in ${source}`
  const message = `The secret ${row.name} cannot be decrypted: its key (${row.key}) is missing. Restore the key ${where}, set the secret again with \`carrel secrets put ${row.name}\`, or remove it.`
  throw new CarrelError('unavailable', message, { name: row.name, key: row.key })
}

/** Keeps both keys in the ring until the end: an interrupted rotation loses nothing, and the next one finishes it. */
async function rotate(store: SecretStore, ring: KeyRing): Promise<{ key: string; sealed: number; unreadable: number }> {
  if ((await ring.keys()).length < 2) await ring.add()
  const keys = await ring.keys()
  const current = await ring.sealing()
  let sealed = 0
  let unreadable = 0
  let after: SecretHandle | null = null
  for (;;) {
    const rows: SealedSecret[] = await store.sealedOtherwise(current.id, after, STEP)
    for (const row of rows) {
      const [secret] = unsealed(row, keys)
      if (!secret) unreadable += 1
      else if (await store.reseal({ ...row, key: current.id, sealed: seal(current, row, secret.value) }, row.sealed))
        sealed += 1
    }
    if (rows.length < STEP) break
    after = rows.at(-1) ?? null
  }
  if (ring.own) await ring.retire()
  return { key: current.id, sealed, unreadable }
}

/** Holds all values since the process started: a run may still have a value that was replaced or removed. */
function createKnown() {
  const values = new Map<string, Map<string, string>>()
  const masks = new Map<string, Mask>()
  let all: Mask | null = null
  const listOf = (of: ReadonlyMap<string, string>) => [...of].map(([value, name]) => ({ name, value }))
  return {
    has: (workspace: string) => masks.has(workspace),
    list: (workspace: string) => listOf(values.get(workspace) ?? new Map()),
    learn(workspace: string, secrets: readonly KnownSecret[]) {
      const before = values.get(workspace) ?? new Map<string, string>()
      const fresh = secrets.filter(({ value }) => !before.has(value))
      if (fresh.length === 0 && masks.has(workspace)) return
      for (const { name, value } of fresh) before.set(value, name)
      values.set(workspace, before)
      masks.set(workspace, createMask(listOf(before)))
      all = null
    },
    mask: (workspace: string): Mask => masks.get(workspace) ?? NO_MASK,
    everywhere(): Mask {
      all ??= createMask([...values.values()].flatMap(listOf))
      return all
    },
  }
}
