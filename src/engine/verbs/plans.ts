import type { PlanAsk } from '../../host/history/history.ts'
import { CarrelError } from '../../model/errors.ts'
import type { Act, PlanRequest } from '../../model/history.ts'
import { ActId } from '../../model/ids.ts'
import type { Caller } from '../../model/tree.ts'
import { projectIn, whoOf } from '../authorize.ts'
import { concealedDiff } from '../concealed-files.ts'
import type { Context } from '../context.ts'
import { notesOf } from '../files/act-notes.ts'
import { BASE, type Reached, reachHistory, reachPlace } from '../files/place-reach.ts'
import type { HeldLease } from '../leases.ts'
import type { Op } from '../op.ts'

/** What a run at work wrote or read within this is in use. ms. */
const LATELY_MS = 600_000

export const makePlan: Op<'plans.make'> = async (ctx, caller, input) => {
  const reached = await reachPlace(ctx, caller, input)
  const ask = await askOf(ctx, caller, reached, input.request)
  return await (await ctx.history()).plan(reached.opened.key, ask)
}

export const diffPlan: Op<'plans.diff'> = async (ctx, caller, input) => {
  const reached = await reachPlace(ctx, caller, input)
  const ask = await askOf(ctx, caller, reached, input.request)
  const diff = await (await ctx.history()).planDiff(reached.opened.key, ask, input.path)
  return concealedDiff(diff, await ctx.vault.maskOf(input.workspace))
}

/** Under the lease of the Space: nobody else writes there meanwhile, on any node, and all are told whose files it took. */
export const applyPlan: Op<'plans.apply'> = async (ctx, caller, input) => {
  const reached = await reachPlace(ctx, caller, input)
  const { key, project } = reached.opened
  const by = whoOf(caller)
  // Whatever has to be told when a place is opened is told before the Space is taken.
  if (input.request.kind === 'apply') await sourceOf(ctx, caller, reached, input.request)
  return await ctx.spaces.act(project.space, by, async (lease) => {
    const ask = await askOf(ctx, caller, reached, input.request)
    await lease.renew()
    const act = ActId.parse(ctx.id('act'))
    const { digest, overwrite, leave } = input
    const done = await (await ctx.history()).applyPlan(key, ask, { digest, overwrite, leave, act, by })
    await tell(ctx, reached, done, lease)
    return done
  })
}

/** The files are written: a lease that was lost meanwhile leaves the notes to whoever opens the place next. */
async function tell(ctx: Context, { opened }: Reached, act: Act, lease: HeldLease): Promise<void> {
  const noted = {
    space: opened.project.space,
    notes: await notesOf(ctx, opened, act),
    act: { place: opened.key, id: act.id },
  }
  await lease
    .guard(() => ctx.store.log.note(lease.current, noted, ctx.now()))
    .catch((thrown) => ctx.log.warn(`The sessions that ${act.id} concerns could not be told yet.`, thrown))
}

export const listActs: Op<'acts.list'> = async (ctx, caller, input) => {
  const { key } = await reachHistory(ctx, caller, input)
  const before = input.cursor === undefined ? null : ActId.parse(input.cursor)
  const acts = await (await ctx.history()).acts(key, { before, limit: input.limit })
  return { acts, cursor: acts.length < input.limit ? null : (acts.at(-1)?.id ?? null) }
}

/** The question of a plan, with what only the engine knows: rules, who is at work, where an apply comes from. */
async function askOf(ctx: Context, caller: Caller, reached: Reached, request: PlanRequest): Promise<PlanAsk> {
  const { opened, bench } = reached
  const { workspace, space } = opened.project
  const source = request.kind === 'apply' ? await sourceOf(ctx, caller, reached, request) : undefined
  // Looked at here first, so that what runs at work did until now is told as theirs.
  await bench.look({ at: 'everything', reason: 'before_act' })
  const since = ctx.now() - LATELY_MS
  return {
    request,
    paths: (await ctx.care.rules(workspace, space)).paths,
    active: [...bench.workers.values()].map(({ run, session, paths }) => ({ run, session, paths: paths.since(since) })),
    source,
    writers: bench.writers(),
    now: ctx.now(),
  }
}

async function sourceOf(
  ctx: Context,
  caller: Caller,
  { opened }: Reached,
  { from }: Extract<PlanRequest, { kind: 'apply' }>,
): Promise<PlanAsk['source']> {
  const { workspace, space, place } = opened.project
  const project = await projectIn(ctx, caller, workspace, from)
  if (place.kind !== 'direct' || project.space !== space || project.place.kind === 'direct') {
    throw new CarrelError(
      'bad_input',
      'What a project did in its own place goes to the folder of its own Space: name a project that works there directly.',
      { from, to: opened.project.id },
    )
  }
  const reached = await reachPlace(ctx, caller, { workspace, project: from })
  await reached.bench.look({ at: 'everything', reason: 'before_act' })
  return { key: reached.opened.key, base: BASE, writers: reached.bench.writers() }
}
