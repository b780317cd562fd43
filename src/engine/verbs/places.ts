import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Parsed } from '../../api/index.ts'
import { folderState } from '../../host/folders.ts'
import type { PlaceRisks } from '../../host/places/place.ts'
import { CarrelError } from '../../model/errors.ts'
import type { Caller, Project } from '../../model/tree.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import { awakeSignal } from '../../primitives/timers.ts'
import { projectIn, spaceIn, whoOf } from '../authorize.ts'
import type { Context } from '../context.ts'
import type { PlaceActivity } from '../files/place-activity.ts'
import { BASE, reachPlace } from '../files/place-reach.ts'
import { placeKey, recordOf } from '../files/project-places.ts'
import type { Op } from '../op.ts'
import { projectRow } from './tree.ts'

/** Time limit of git for the creation of a branch. ms. */
const EXPORT_MS = 120_000

/**
 * Creates a project. A working copy is created in the background: its state shows a failure, and no other place is used
 * (F8).
 */
export const createProject: Op<'projects.create'> = async (ctx, caller, input) => {
  const space = await spaceIn(ctx, caller, input.workspace, input.space)
  checkOptions(input)
  const row = projectRow(ctx, space, input.name)
  if (input.place === 'direct') return await ctx.store.tree.createProject(row, ctx.now())
  if ((await ctx.projectPlaces.standing(space)) !== 'present')
    throw new CarrelError(
      'unavailable',
      `The folder ${space.folder} does not exist or was replaced, so no working copy can be created from it.`,
    )
  const path = join(ctx.config.dataFolder, 'places', row.id)
  const place = { ...row.place, kind: input.place, path, state: 'making', note: 'Waiting to be created.' } as const
  const project = await ctx.store.tree.createProject({ ...row, place }, ctx.now())
  const shown = await ctx.store.tree.setPlace(project.workspace, project.id, { place }, ctx.now())
  const { branch = null, start = null, include, setup = null, driver = null } = input
  ctx.placeBuilder.begin(shown, space.folder, { branch, start, include, setup, driver })
  return shown
}

function checkOptions({ place, branch, start, include, setup, driver }: Parsed<'projects.create'>): void {
  const git = branch !== undefined || start !== undefined
  if (git && place !== 'worktree')
    throw new CarrelError('bad_input', '`branch` and `start` need a place of kind worktree. Set place: worktree.')
  if (driver !== undefined && place !== 'overlay')
    throw new CarrelError('bad_input', '`driver` needs a place of kind overlay. Set place: overlay.')
  if (place === 'direct' && (include.length > 0 || setup !== undefined))
    throw new CarrelError('bad_input', '`include` and `setup` need a working copy. Set place: worktree or overlay.')
}

export const listDrivers: Op<'places.drivers'> = async (ctx) => ({
  drivers: [...(await (await ctx.places()).drivers())],
})

export const placeRisks: Op<'places.previewRemoval'> = async (ctx, caller, input) => {
  const project = await projectIn(ctx, caller, input.workspace, input.project)
  const { kind, path, driver, branch } = project.place
  const shown = { kind, path, driver: driver ?? 'the folder itself', branch }
  if (kind === 'direct') {
    const missing = (await folderState(path)) !== 'present'
    return { ...shown, missing, changed: [], unpushed: 0, underway: null }
  }
  const { missing, changed, unpushed, underway } = await (await ctx.places()).removalRisks(
    await recordOf(ctx.store, project),
  )
  return { ...shown, missing, changed: [...changed], unpushed, underway }
}

export const removePlace: Op<'places.remove'> = async (ctx, caller, input) => {
  const project = await projectIn(ctx, caller, input.workspace, input.project)
  if (project.place.kind === 'direct')
    throw new CarrelError('forbidden', 'This project works in the folder of its Space, which Carrel never removes.')
  if (project.place.state === 'making')
    throw new CarrelError('busy', 'The working copy is still being created. Wait until it is ready, then remove it.')
  const restore = `carrel copies export ${project.id} | git apply`
  if (project.place.state === 'removed') return { removed: true, lost: [], kept: [], restore }
  const record = project.place.state === 'ready' ? await recordOf(ctx.store, project) : null
  const risks = record ? await (await ctx.places()).removalRisks(record) : null
  const lost = risks ? describeLoss(risks) : []
  if (!input.confirm) return { removed: false, lost, kept: [], restore: null }
  // Opening a place writes its overdue notes, which need the Space: open before the lease is taken.
  const activity = record && !risks?.missing ? (await reachPlace(ctx, caller, input)).activity : null
  return await ctx.spaceLocks.act(project.space, whoOf(caller), async () => {
    if (activity) await keep(ctx, project, activity)
    const kept = record ? [...(await (await ctx.places()).remove(record)).kept] : []
    ctx.projectPlaces.forget({ key: placeKey(project) })
    await ctx.store.ports.release(placeKey(project))
    const place = { ...project.place, state: 'removed', note: 'Removed. Its history is kept.' } as const
    await ctx.store.tree.setPlace(project.workspace, project.id, { place }, ctx.now())
    return { removed: true, lost, kept, restore }
  })
}

/** Saves all files in the history, and as a patch beside it: the layer below an overlay may be gone later. */
async function keep(ctx: Context, project: Project, activity: PlaceActivity): Promise<void> {
  if (activity.workers.size > 0)
    throw new CarrelError('busy', 'A run is at work in this working copy. Wait for its end, or cancel it.')
  await activity.scan({ at: 'everything', reason: 'asked' })
  const patch = await (await ctx.history()).patch(activity.key, { from: BASE, to: null })
  const path = keptPatch(ctx, project)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(path, patch, { mode: 0o600 })
}

const keptPatch = (ctx: Context, { id }: Project) => join(ctx.config.dataFolder, 'files', 'removed', `${id}.patch`)

function describeLoss({ missing, changed, unpushed, underway }: PlaceRisks): string[] {
  if (missing) return ['Its folder no longer exists.']
  const losses = changed.map((path) => `${path} exists nowhere else`)
  if (unpushed > 0) losses.push(`${unpushed} commits of its branch are in no other branch and on no remote`)
  if (underway !== null) losses.push(`${underway} is in progress`)
  return losses
}

export const exportPlace: Op<'places.export'> = async (ctx, caller, input) => {
  const project = await projectIn(ctx, caller, input.workspace, input.project)
  if (project.place.kind === 'direct')
    throw new CarrelError('bad_input', 'This project works in the folder of its Space, so there is nothing to export.')
  const patch = await patchOf(ctx, caller, project)
  if (input.as === 'patch') return { patch, branch: null, commit: null }
  const space = await spaceIn(ctx, caller, input.workspace, project.space)
  const branch = input.branch ?? `carrel/${project.id}`
  const base = project.place.state === 'ready' ? ((await recordOf(ctx.store, project)).git?.base ?? null) : null
  const parent = join(ctx.config.dataFolder, 'places')
  const ask = { source: space.folder, patch, base, branch, parent, signal: awakeSignal(EXPORT_MS) }
  return { patch: null, branch, commit: (await (await ctx.places()).exportBranch(ask)).commit }
}

async function patchOf(ctx: Context, caller: Caller, project: Project): Promise<string> {
  const kept = project.place.state === 'removed' ? await absentAsNull(readFile(keptPatch(ctx, project), 'utf8')) : null
  if (kept !== null) return kept
  const asked = { workspace: project.workspace, project: project.id }
  const { activity } = await reachPlace(ctx, caller, asked)
  await activity.scan({ at: 'everything', reason: 'asked' })
  return await (await ctx.history()).patch(activity.key, { from: BASE, to: null })
}
