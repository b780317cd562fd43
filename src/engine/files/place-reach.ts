import { NOTHING_OUTSIDE } from '../../host/places/place.ts'
import { CarrelError } from '../../model/errors.ts'
import type { ProjectId, WorkspaceId } from '../../model/ids.ts'
import type { Caller, Project } from '../../model/tree.ts'
import { projectIn } from '../authorize.ts'
import type { Context } from '../context.ts'
import type { Bench } from './captures.ts'
import { type OpenedPlace, placeKey } from './place-care.ts'

/** A place under care, as verbs use it. */
export interface Reached {
  readonly opened: OpenedPlace
  readonly bench: Bench
}

interface Asked {
  readonly workspace: WorkspaceId
  readonly project: ProjectId
}

/** For what looks at files or writes them. @throws gone where they are not there */
export async function reachPlace(ctx: Context, caller: Caller, asked: Asked): Promise<Reached> {
  const opened = await ctx.care.open(await projectIn(ctx, caller, asked.workspace, asked.project))
  await ctx.care.follow(opened)
  return { opened, bench: ctx.benches.of(opened) }
}

/** For what only asks the history, which outlives the files: also where they are gone. */
export async function reachHistory(ctx: Context, caller: Caller, asked: Asked): Promise<OpenedPlace> {
  const project = await projectIn(ctx, caller, asked.workspace, asked.project)
  const known = ctx.care.followed.get(placeKey(project))
  if (known) return known
  const opened = await ctx.care.open(project).catch((thrown) => {
    if (!(thrown instanceof CarrelError) || thrown.code !== 'gone') throw thrown
    return absent(project)
  })
  await ctx.care.follow(opened)
  return opened
}

/** As it was: nothing of it is read, but its history is. */
function absent(project: Project): OpenedPlace {
  const { kind, path, driver } = project.place
  const place = {
    kind,
    driver: driver ?? '',
    path,
    root: path,
    enter: [],
    namespace: null,
    layer: null,
    outside: NOTHING_OUTSIDE,
  }
  return { key: placeKey(project), project, place }
}

/** The snapshot that a place's own work began at: the first, as it was when it was taken under care. */
export const BASE = 1
