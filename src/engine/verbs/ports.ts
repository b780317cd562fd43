import { createHash } from 'node:crypto'
import { FIRST_PORT, freePorts, isListening, PORT_COUNT } from '../../host/ports.ts'
import { CarrelError } from '../../model/errors.ts'
import type { WorkspaceId } from '../../model/ids.ts'
import { type LeasedPort, portVariable } from '../../model/settings/environment.ts'
import type { Project } from '../../model/tree.ts'
import { enter, projectIn } from '../authorize.ts'
import type { Basics, MachineFacts } from '../basics.ts'
import type { Context } from '../context.ts'
import { placeKey } from '../files/project-places.ts'
import type { Op } from '../op.ts'
import { environmentOf } from './environment.ts'

/** Most free ports tried for one name. */
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
    throw new CarrelError(
      'unavailable',
      `There is no free port for ${name} between ${FIRST_PORT} and ${FIRST_PORT + PORT_COUNT - 1}. Remove projects that are no longer needed, or name fewer ports.`,
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
  const apart = new Map(
    await Promise.all(places.map(async (each) => [each, await isApart(ctx, each, projects)] as const)),
  )
  const statusOf = async (port: LeasedPort) => ({
    ...shown(ctx, workspace, port),
    listening: await isListening(port.port),
    apart: apart.get(port.place) ?? false,
  })
  return { ports: await Promise.all(all.map(statusOf)) }
}

/** Whether every project in a place has a strict sandbox, whose loopback is not that of this machine. */
async function isApart(ctx: Context, place: string, projects: readonly Project[]): Promise<boolean> {
  const inside = projects.filter((project) => placeKey(project) === place && project.archivedAt === null)
  const settings = inside.map(({ workspace, space, id }) => environmentOf(ctx, { workspace, space, project: id }))
  const strict = (await Promise.all(settings)).every(({ sandbox }) => sandbox.value === 'strict')
  return inside.length > 0 && strict
}

export const getPort: Op<'ports.get'> = async (ctx, caller, { workspace, preview }) => {
  await enter(ctx, caller, workspace)
  const all = await ctx.store.ports.of(workspace, null)
  const found = all.map((port) => shown(ctx, workspace, port)).find((port) => port.preview === preview)
  if (found) return found
  throw new CarrelError(
    'not_found',
    `There is no preview ${preview} in this workspace, or its working copy is gone. \`carrel env ports\` lists them.`,
    { preview },
  )
}

const shown = ({ previewCode }: Pick<MachineFacts, 'previewCode'>, workspace: WorkspaceId, port: LeasedPort) => ({
  ...port,
  preview: `${port.name.replaceAll('_', '-')}-${previewCode(`${workspace} ${port.place} ${port.name}`)}`,
})
