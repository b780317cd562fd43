import { createHash } from 'node:crypto'
import { FIRST_PORT, freePorts, isListening, PORT_COUNT } from '../host/ports.ts'
import { CarrelError } from '../model/errors.ts'
import type { WorkspaceId } from '../model/ids.ts'
import { portVariable } from '../model/surroundings.ts'
import { enter, projectIn } from './authorize.ts'
import type { Context } from './context.ts'
import type { Op } from './op.ts'
import { placeKey } from './place-care.ts'

/** How many free numbers are tried for one name before it is given up. */
const TRIES = 16

/**
 * The ports of a place as variables. Those it has stay its own until the place is gone; a name it has none for is
 * leased now. @throws unavailable when none is free
 */
export async function portsFor(
  { store, now }: Context,
  workspace: WorkspaceId,
  place: string,
  names: readonly string[],
): Promise<Record<string, string>> {
  if (names.length === 0) return {}
  const had = new Map((await store.ports.of(workspace, place)).map(({ name, port }) => [name, port]))
  for (const name of names) {
    if (had.has(name)) continue
    const taken = new Set(await store.ports.taken())
    // Where it begins is its own: two installations on one machine seldom come to the same number.
    const from = createHash('sha256').update(`${place} ${name}`).digest().readUInt32BE(0) % PORT_COUNT
    for (const port of await freePorts(from, TRIES, taken)) {
      const leased = await store.ports.lease(workspace, { place, name, port }, now())
      if (leased !== null) {
        had.set(name, leased)
        break
      }
    }
    if (had.has(name)) continue
    throw new CarrelError(
      'unavailable',
      `There is no free port for ${name} between ${FIRST_PORT} and ${FIRST_PORT + PORT_COUNT - 1}. Remove projects that are not needed, or name fewer ports.`,
    )
  }
  return Object.fromEntries(names.map((name) => [portVariable(name), String(had.get(name))]))
}

export const listPorts: Op<'ports.list'> = async (ctx, caller, { workspace, project }) => {
  if (project === undefined) await enter(ctx, caller, workspace)
  const place = project === undefined ? null : placeKey(await projectIn(ctx, caller, workspace, project))
  const all = await ctx.store.ports.of(workspace, place)
  return { ports: await Promise.all(all.map(async (each) => ({ ...each, listening: await isListening(each.port) }))) }
}
