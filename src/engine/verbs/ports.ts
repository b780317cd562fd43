import { createHash } from 'node:crypto'
import { FIRST_PORT, freePorts, isListening, PORT_COUNT } from '../../host/ports.ts'
import { type LeasedPort, portVariable } from '../../model/environment.ts'
import { CarrelError } from '../../model/errors.ts'
import type { WorkspaceId } from '../../model/ids.ts'
import type { Project } from '../../model/tree.ts'
import { enter, projectIn } from '../authorize.ts'
import type { Context } from '../context.ts'
import { placeKey } from '../files/place-care.ts'
import type { Op } from '../op.ts'
import { environmentOf } from './environment.ts'

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
  const projects = all.length === 0 ? [] : await ctx.store.tree.projects(workspace)
  const places = [...new Set(all.map((port) => port.place))]
  const apart = new Set((await Promise.all(places.map((each) => isApart(ctx, each, projects)))).flat())
  const look = async (port: LeasedPort) => ({
    ...shown(ctx, workspace, port),
    listening: await isListening(port.port),
    apart: apart.has(port.place),
  })
  return { ports: await Promise.all(all.map(look)) }
}

/** The place, where nobody who works in it has the loopback of this machine. */
async function isApart(ctx: Context, place: string, projects: readonly Project[]): Promise<string[]> {
  const there = projects.filter((project) => placeKey(project) === place && project.archivedAt === null)
  const walls = there.map(({ workspace, space, id }) => environmentOf(ctx, { workspace, space, project: id }))
  const open = (await Promise.all(walls)).filter(({ sandbox }) => sandbox.value !== 'strict')
  return there.length > 0 && open.length === 0 ? [place] : []
}

export const getPort: Op<'ports.get'> = async (ctx, caller, { workspace, preview }) => {
  await enter(ctx, caller, workspace)
  const all = await ctx.store.ports.of(workspace, null)
  const found = all.map((port) => shown(ctx, workspace, port)).find((port) => port.preview === preview)
  if (found) return found
  throw new CarrelError(
    'not_found',
    `There is no preview ${preview} in this workspace, or its place is gone. \`carrel env ports\` shows those there are.`,
    { preview },
  )
}

const shown = ({ previewCode }: Context, workspace: WorkspaceId, port: LeasedPort) => ({
  ...port,
  preview: `${port.name.replaceAll('_', '-')}-${previewCode(`${workspace} ${port.place} ${port.name}`)}`,
})
