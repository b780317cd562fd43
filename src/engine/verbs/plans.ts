import type { PlanAsk } from '../../host/history/history.ts'
import { CarrelError } from '../../model/errors.ts'
import type { Act, PlanRequest } from '../../model/files/history.ts'
import { ActId } from '../../model/ids.ts'
import type { Caller } from '../../model/tree.ts'
import { projectIn, whoOf } from '../authorize.ts'
import type { Context } from '../context.ts'
import { notesOf } from '../files/act-notes.ts'
import { maskedDiff } from '../files/masked-files.ts'
import { BASE, type ReachedPlace, reachHistory, reachPlace } from '../files/place-reach.ts'
import type { HeldLease } from '../leases.ts'
import type { Op } from '../op.ts'

/** Time for which a path that a working run wrote or read counts as in use. ms. */
const IN_USE_MS = 600_000

export const makePlan: Op<'plans.make'> = async (ctx, caller, input) => {
  const reached = await reachPlace(ctx, caller, input)
  const ask = await askOf(ctx, caller, reached, input.request)
  return await (await ctx.history()).plan(reached.opened.key, ask)
}

export const diffPlan: Op<'plans.diff'> = async (ctx, caller, input) => {
  const reached = await reachPlace(ctx, caller, input)
  const ask = await askOf(ctx, caller, reached, input.request)
  const diff = await (await ctx.history()).planDiff(reached.opened.key, ask, input.path)
  return maskedDiff(diff, await ctx.vault.maskOf(input.workspace))
}

/** Runs under the lease of the Space: no other node writes there, and every affected session gets a note. */
export const applyPlan: Op<'plans.apply'> = async (ctx, caller, input) => {
  const reached = await reachPlace(ctx, caller, input)
  const { key, project } = reached.opened
  const by = whoOf(caller)
  // Opening a place writes its overdue notes, which need the Space: open before the lease is taken.
  if (input.request.kind === 'apply') await sourceOf(ctx, caller, reached, input.request)
  return await ctx.spaceLocks.act(project.space, by, async (lease) => {
    const ask = await askOf(ctx, caller, reached, input.request)
    await lease.renew()
    const act = ActId.parse(ctx.id('act'))
    const { digest, overwrite, leave, unwatched } = input
    const done = await (await ctx.history()).applyPlan(key, ask, { digest, overwrite, leave, unwatched, act, by })
    await noteAct(ctx, reached, done, lease)
    return done
  })
}

/** Notes an act in the sessions it affects. Without the lease, the next opening of the place writes the notes. */
async function noteAct(ctx: Context, { opened }: ReachedPlace, act: Act, lease: HeldLease): Promise<void> {
  const noted = {
    space: opened.project.space,
    notes: await notesOf(ctx, opened, act),
    act: { place: opened.key, id: act.id },
  }
  await lease
    .guard(() => ctx.store.log.note(lease.current, noted, ctx.now()))
    .catch((thrown) =>
      ctx.log.warn(
        `The act ${act.id} could not be noted in the sessions it affects; it will be at the next opening of the place.`,
        thrown,
      ),
    )
}

export const listActs: Op<'acts.list'> = async (ctx, caller, input) => {
  const { key } = await reachHistory(ctx, caller, input)
  const before = input.cursor === undefined ? null : ActId.parse(input.cursor)
  const acts = await (await ctx.history()).acts(key, { before, limit: input.limit })
  return { acts, cursor: acts.length < input.limit ? null : (acts.at(-1)?.id ?? null) }
}

/** Completes a plan request with the file rules, the runs at work and the source of an apply. */
async function askOf(ctx: Context, caller: Caller, reached: ReachedPlace, request: PlanRequest): Promise<PlanAsk> {
  const { opened, activity } = reached
  const { workspace, space } = opened.project
  const source = request.kind === 'apply' ? await sourceOf(ctx, caller, reached, request) : undefined
  // A scan first, so that changes until now are attributed to the runs at work.
  await activity.scan({ at: 'everything', reason: 'before_act' })
  const since = ctx.now() - IN_USE_MS
  return {
    request,
    paths: (await ctx.projectPlaces.rules(workspace, space)).paths,
    active: [...activity.workers.values()].map(({ run, session, paths }) => ({
      run,
      session,
      paths: paths.since(since),
    })),
    source,
    writers: await activity.writers(),
    now: ctx.now(),
  }
}

async function sourceOf(
  ctx: Context,
  caller: Caller,
  { opened }: ReachedPlace,
  { from }: Extract<PlanRequest, { kind: 'apply' }>,
): Promise<PlanAsk['source']> {
  const { workspace, space, place } = opened.project
  const project = await projectIn(ctx, caller, workspace, from)
  if (place.kind !== 'direct' || project.space !== space || project.place.kind === 'direct') {
    const message =
      'Changes of a working copy can only be applied to the folder of its own Space. Name a project that works there directly.'
    throw new CarrelError('bad_input', message, { from, to: opened.project.id })
  }
  const reached = await reachPlace(ctx, caller, { workspace, project: from })
  await reached.activity.scan({ at: 'everything', reason: 'before_act' })
  return { key: reached.opened.key, base: BASE, writers: await reached.activity.writers() }
}
