import { createHash } from 'node:crypto'
import { FIRST_PORT, freePorts, PORT_COUNT } from '../../host/ports.ts'
import { CarrelError } from '../../model/errors.ts'
import type { WorkspaceId } from '../../model/ids.ts'
import { portVariable } from '../../model/settings/environment.ts'
import type { Basics } from '../basics.ts'

const TRIES = 16

/**
 * Returns the ports of a place as variables. A place keeps its ports until it is removed; a name without a port gets one
 * now. Idempotent. @throws unavailable when none is free
 */
export async function portsFor(
  { store, now }: Pick<Basics, 'store' | 'now'>,
  workspace: WorkspaceId,
  place: string,
  names: readonly string[],
): Promise<Record<string, string>> {
  if (names.length === 0) return {}
  const had = new Map((await store.ports.of(workspace, place)).map(({ name, port }) => [name, port]))
  for (const name of names) {
    if (had.has(name)) continue
    const taken = new Set(await store.ports.taken())
    // The search begins at a hash, so that two installations on one machine seldom meet.
    const from = createHash('sha256').update(`${place} ${name}`).digest().readUInt32BE(0) % PORT_COUNT
    for (const port of await freePorts(from, TRIES, taken)) {
      const leased = await store.ports.lease(workspace, { place, name, port }, now())
      if (leased !== null) {
        had.set(name, leased)
        break
      }
    }
    if (had.has(name)) continue
    const message = `There is no free port for ${name} between ${FIRST_PORT} and ${FIRST_PORT + PORT_COUNT - 1}. Remove projects that are no longer needed, or name fewer ports.`
    throw new CarrelError('unavailable', message)
  }
  return Object.fromEntries(names.map((name) => [portVariable(name), String(had.get(name))]))
}
