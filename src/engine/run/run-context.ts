import { join } from 'node:path'
import type { Place } from '../../host/places/place.ts'
import { type GivenToRun, heldLimitsOf } from '../../model/environment.ts'
import { CarrelError } from '../../model/errors.ts'
import type { RunView } from '../../model/view.ts'
import type { AgentNeed, Seat } from '../agents/agent-pool.ts'
import { homeFor } from '../agents/homes.ts'
import { sandboxFor } from '../agents/sandboxing.ts'
import { browserOf, seatWith, type TakeBrowser } from '../browsers/browsers.ts'
import { type OpenedPlace, placeKey } from '../files/place-care.ts'
import { variablesOf, withTemporary, writeGiven } from '../files/run-folder.ts'
import { environmentOf } from '../verbs/environment.ts'
import { portsFor } from '../verbs/ports.ts'
import type { RunWork } from './run-work.ts'

/** Opens the working copy of a run's project and checks its identity: no other folder may take its place (F8). */
export async function openPlaceOf({ ctx, recorder }: RunWork): Promise<OpenedPlace> {
  const { workspace, project: id } = recorder.session
  await ctx.makings.done(id)
  const project = await ctx.store.tree.project(workspace, id)
  if (!project) throw new CarrelError('gone', 'The project of this session was deleted.')
  return await ctx.care.open(project)
}

/** A run that is admitted, or about to be. */
export type RunOf = Pick<RunView, 'id' | 'agent'>

/** Takes a slot on an agent process for a run. Its environment is an allow-list. */
export async function takeSlot(work: RunWork, run: RunOf, place: Place, signal: AbortSignal): Promise<Seat> {
  const { ctx } = work
  const need = await needOf(work, run, place, (wish) => ctx.browsers.lease(wish, signal))
  const slot = await seatWith(need.browser, ctx.config, () => ctx.pool.checkout(need, signal))
  noteGiven(work, { run, place, need, slot })
  return slot
}

/** The name of an agent's conversation in the agent pool. */
export const contextOf = (session: string, agent: string) => `${session} ${agent}`

interface Given {
  readonly run: RunOf
  readonly place: Place
  readonly need: Need
  readonly slot: Seat
}

/** Writes the environment of a run into its folder, for people. The prompt does not wait for the write. */
export function noteGiven({ ctx, recorder }: RunWork, { run, place, need, slot }: Given): void {
  const { recipe, program, environment, variables } = need
  const limits = Object.entries(environment.limits).map(([name, { value }]) => [name, value])
  const given = ctx.vault.mask(recorder.session.workspace).value<GivenToRun>({
    run: run.id,
    session: recorder.session.id,
    agent: run.agent,
    program,
    args: [...recipe.args],
    cwd: place.path,
    env: withTemporary(variables, slot.connection.temporary),
    home: need.home?.kind ?? 'person',
    temporary: slot.connection.temporary,
    sandbox: environment.sandbox.value,
    hosts: [...(need.sandbox?.hosts ?? [])],
    limits: Object.fromEntries(limits),
    containment: need.sandbox ? 'bubblewrap' : ctx.containment.kind,
    pid: slot.connection.pid,
    stderr: join(ctx.config.dataFolder, 'logs', 'agents', run.agent, 'stderr.log'),
    at: ctx.now(),
  })
  writeGiven(ctx.config, given).catch((thrown) => ctx.log.warn(`The folder of ${run.id} could not be written.`, thrown))
}

export type Need = Awaited<ReturnType<typeof needOf>>

/** Describes the process that a run needs, and takes its browser. The caller releases the browser. */
export async function needOf(
  { ctx, recorder }: Pick<RunWork, 'ctx' | 'recorder'>,
  run: RunOf,
  place: Place,
  take: TakeBrowser,
) {
  const { recipe, program } = await ctx.agents.resolve(run.agent)
  const { id, workspace, space, project } = recorder.session
  const [secrets, environment] = await Promise.all([
    ctx.vault.forRun({ workspace, space, project }, run.agent),
    environmentOf(ctx, { workspace, space, project }),
  ])
  const plain = Object.entries(environment.env).map(([name, { value }]) => [name, value])
  const ports = await portsFor(ctx, workspace, placeKey({ id: project, space, place }), environment.ports.value)
  const home = homeFor(recipe, environment.home.value, { workspace, space, project, session: id, run: run.id })
  const before = ctx.agents.environment(recipe, home && ctx.homes.pathOf(home), {
    ...Object.fromEntries(plain),
    ...secrets,
    ...ports,
  })
  const { sandbox: mode, hosts } = environment
  const kept = { recipe, env: before, place, mode: mode.value, hosts: hosts.map(({ value }) => value) }
  const walls = await sandboxFor(ctx, kept)
  // The browser is taken last, since that may wait and no later step can fail.
  const browser = environment.browser.value === 'own' ? await browserOf({ ctx, recorder }, run, kept, take) : null
  const env = { ...before, ...browser?.env }
  const sandbox = walls && { ...walls, ...browser?.door }
  const context = contextOf(id, run.agent)
  const limits = heldLimitsOf(environment)
  const need: AgentNeed = { recipe, program, env, workspace, context, place, sandbox, home, limits }
  return {
    ...need,
    environment,
    browser: browser?.lease ?? null,
    variables: variablesOf(env, {
      recipe,
      secrets,
      environment,
      own: { ...ports, ...browser?.shown },
      home: ctx.home,
    }),
  }
}
