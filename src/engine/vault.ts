import type { KeyRing } from '../host/identity/key-ring.ts'
import { type SecretKey, seal, unseal } from '../host/identity/sealing.ts'
import { CarrelError } from '../model/errors.ts'
import type { WorkspaceId } from '../model/ids.ts'
import { createMask, type KnownSecret, type Mask, NO_MASK } from '../model/mask.ts'
import { type SealedSecret, type Secret, type SecretPlace, secretsFor } from '../model/secrets.ts'
import type { SecretHandle, SecretStore } from '../store/store.ts'

/**
 * The only place where values of secrets are in clear. They leave it in two ways: into the environment of a run, and
 * never, behind a mask.
 */
export interface Vault {
  list(workspace: WorkspaceId): Promise<(Secret & { readable: boolean })[]>
  put(secret: Omit<Secret, 'key'>, value: string): Promise<Secret>
  remove(handle: SecretHandle): Promise<boolean>
  /** What a run of this agent gets, by name. @throws unavailable when one of them does not open */
  forRun(place: SecretPlace, agent: string): Promise<Record<string, string>>
  /** Hides every value that this process has known in a workspace. `mask` alone knows those that were read before. */
  maskOf(workspace: string): Promise<Mask>
  mask(workspace: string): Mask
  /** For a process that keeps what an agent writes. */
  known(workspace: string): KnownSecret[]
  /** Hides the values of all workspaces, in words for the operator. */
  readonly everywhere: Mask
  /** Seals everything under a new key, in steps; goes on where it was cut short. */
  rotate(): Promise<{ key: string; sealed: number; unreadable: number }>
}

/** Rows of one step of a rotation. */
const STEP = 100

export function createVault(store: SecretStore, ring: KeyRing): Vault {
  const known = createKnown()
  const read = async (workspace: string) => {
    const rows = await store.list(workspace as WorkspaceId)
    const keys = rows.length > 0 ? await ring.keys().catch(() => []) : []
    known.learn(
      workspace,
      rows.flatMap((row) => opened(row, keys)),
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
      // Hidden before it is stored: from the moment it can be given to anybody.
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

/** Where a key is not here its secrets stay unknown; whoever needs one is told. */
function opened(row: SealedSecret, keys: readonly SecretKey[]): KnownSecret[] {
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
  throw new CarrelError(
    'unavailable',
    `The secret ${row.name} cannot be opened: its key (${row.key}) is not here. Put the key back ${where}, put the secret again with \`carrel secrets put ${row.name}\`, or remove it.`,
    { name: row.name, key: row.key },
  )
}

/**
 * Both keys are in the ring until every value is under the new one, so a rotation may be cut at any point: everything
 * stays readable, and the next one finishes it.
 */
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
      const [secret] = opened(row, keys)
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

/** Values of this process's life: what was replaced or removed may still be in the hands of a run. */
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
