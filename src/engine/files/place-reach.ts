import { CarrelError } from '../../model/errors.ts'
import type { ProjectId, WorkspaceId } from '../../model/ids.ts'
import type { Caller } from '../../model/tree.ts'
import { projectIn } from '../authorize.ts'
import type { FilesContext } from './file-rooms.ts'
import type { PlaceActivity } from './place-activity.ts'
import { type OpenedPlace, placeKey, unopened } from './project-places.ts'

export interface ReachedPlace {
  readonly opened: OpenedPlace
  readonly activity: PlaceActivity
}

interface ProjectHandle {
  readonly workspace: WorkspaceId
  readonly project: ProjectId
}

/** Reaches a place whose files will be read or written. @throws gone without its files */
export async function reachPlace(ctx: FilesContext, caller: Caller, handle: ProjectHandle): Promise<ReachedPlace> {
  const opened = await ctx.projectPlaces.open(await projectIn(ctx, caller, handle.workspace, handle.project))
  await ctx.projectPlaces.follow(opened, 'work')
  return { opened, activity: ctx.activities.of(opened) }
}

/** Reaches a place whose history alone will be read. The history outlives the files, so they may be gone. */
export async function reachHistory(ctx: FilesContext, caller: Caller, handle: ProjectHandle): Promise<OpenedPlace> {
  const project = await projectIn(ctx, caller, handle.workspace, handle.project)
  const known = ctx.projectPlaces.followed.get(placeKey(project))
  if (known) return known
  const opened = await ctx.projectPlaces.open(project).catch((thrown) => {
    if (!(thrown instanceof CarrelError) || thrown.code !== 'gone') throw thrown
    return { key: placeKey(project), project, place: unopened(project) }
  })
  await ctx.projectPlaces.follow(opened, 'read')
  return opened
}

/** The first snapshot of a place: its files before any run worked there. */
export const BASE = 1
