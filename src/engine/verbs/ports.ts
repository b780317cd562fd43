import { isListening } from '../../host/ports.ts'
import { CarrelError } from '../../model/errors.ts'
import type { WorkspaceId } from '../../model/ids.ts'
import type { LeasedPort } from '../../model/settings/environment.ts'
import type { Project, Space } from '../../model/tree.ts'
import { enter, projectIn } from '../authorize.ts'
import type { MachineFacts } from '../basics.ts'
import type { Context } from '../context.ts'
import { placeKey } from '../files/project-places.ts'
import type { Op } from '../op.ts'
import { environmentOf } from '../scope-settings.ts'

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
  const message = `There is no preview ${preview} in this workspace, or its working copy is gone. \`carrel env ports\` lists them.`
  throw new CarrelError('not_found', message, { preview })
}

/** Returns the Spaces with a port that `ports.list` or `ports.get` may show. */
export async function spacesOfPorts(
  ctx: Pick<Context, 'store' | 'previewCode'>,
  spaces: readonly Space[],
  { workspace, preview }: { readonly workspace: WorkspaceId; readonly preview?: string },
): Promise<Space[]> {
  const all = await ctx.store.ports.of(workspace, null)
  // The names of previews are those of a machine: an unknown name may be that of any port.
  const named = all.filter((port) => shown(ctx, workspace, port).preview === preview)
  const places = new Set((named.length > 0 ? named : all).map(({ place }) => place))
  const projects = places.size === 0 ? [] : await ctx.store.tree.projects(workspace)
  const ids = new Set(projects.filter((project) => places.has(placeKey(project))).map(({ space }) => space))
  return spaces.filter(({ id }) => ids.has(id))
}

const shown = ({ previewCode }: Pick<MachineFacts, 'previewCode'>, workspace: WorkspaceId, port: LeasedPort) => ({
  ...port,
  preview: `${port.name.replaceAll('_', '-')}-${previewCode(`${workspace} ${port.place} ${port.name}`)}`,
})
