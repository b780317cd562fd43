import type { Place } from '../../host/places/place.ts'
import { CarrelError } from '../../model/errors.ts'
import type { AgentSlot } from '../agents/agent-slot.ts'
import { slotWith } from '../browsers/browsers.ts'
import type { OpenedPlace } from '../files/project-places.ts'
import { noteGiven } from './run-given.ts'
import { acquireNeed, describeNeed, type RunOf } from './run-need.ts'
import type { RunWork } from './run-work.ts'

/** Opens the working copy of a run's project and checks its identity: no other folder may take its place (F8). */
export async function openPlaceOf({ ctx, recorder }: RunWork): Promise<OpenedPlace> {
  const { workspace, project: id } = recorder.session
  await ctx.placeBuilder.done(id)
  const project = await ctx.store.tree.project(workspace, id)
  if (!project) throw new CarrelError('gone', 'The project of this session was deleted.')
  return await ctx.projectPlaces.open(project)
}

export async function takeSlot(work: RunWork, run: RunOf, place: Place, signal: AbortSignal): Promise<AgentSlot> {
  const { ctx } = work
  const described = await describeNeed(work, run, place)
  const { need, browser } = await acquireNeed(work, run, described, (request) => ctx.browsers.lease(request, signal))
  const slot = await slotWith(browser, ctx.config, () => ctx.pool.checkout(need, signal))
  noteGiven(work, { run, need, slot })
  return slot
}
