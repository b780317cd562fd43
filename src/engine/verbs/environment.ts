import type { LimitReached } from '../../host/cgroups/cgroup.ts'
import { WHAT } from '../../host/cgroups/cgroups.ts'
import {
  type EffectiveEnvironment,
  type Environment,
  type EnvironmentChange,
  effectiveEnvironment,
  HeldLimits,
  type SettingsScope,
} from '../../model/environment.ts'
import { CarrelError } from '../../model/errors.ts'
import { markOf } from '../../model/mask.ts'
import { sizeShort } from '../../model/sizes.ts'
import { enter } from '../authorize.ts'
import type { Context } from '../context.ts'
import { readGiven } from '../files/run-folder.ts'
import type { Op } from '../op.ts'

/** What a run in this place is given, all scopes around it put together. */
export async function environmentOf({ store, config }: Context, scope: SettingsScope): Promise<EffectiveEnvironment> {
  const said = await store.environment.at(scope)
  const layers = (['workspace', 'space', 'project'] as const).map((from) => ({ from, settings: said[from] }))
  return effectiveEnvironment(layers, config.runBudgetMs === null ? {} : { limits: { ms: config.runBudgetMs } })
}

export const getEnvironment: Op<'environment.get'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  return await found(ctx, await scopeIn(ctx, input))
}

export const setEnvironment: Op<'environment.set'> = async (ctx, caller, { settings, ...where }) => {
  await enter(ctx, caller, where.workspace)
  const scope = await scopeIn(ctx, where)
  await mustBeKept(ctx, scope, settings)
  await mustBePlain(ctx, scope, settings)
  await ctx.store.environment.change(scope, settings, ctx.now())
  return await found(ctx, scope)
}

async function found(ctx: Context, scope: SettingsScope) {
  return { own: await ownAt(ctx, scope), effective: await environmentOf(ctx, scope) }
}

async function ownAt({ store }: Context, scope: SettingsScope): Promise<Environment> {
  const said = await store.environment.at(scope)
  return scope.project !== null ? said.project : scope.space !== null ? said.space : said.workspace
}

/** A project brings its Space with it. Before anything else is said of them: what is another workspace's is not there (B1). */
async function scopeIn(ctx: Context, { workspace, space, project }: SettingsScope): Promise<SettingsScope> {
  const gone = (what: string) => new CarrelError('not_found', `There is no ${what} in this workspace.`)
  if (space !== null && !(await ctx.store.tree.space(workspace, space))) throw gone(`Space ${space}`)
  if (project === null) return { workspace, space, project }
  const row = await ctx.store.tree.project(workspace, project)
  if (!row) throw gone(`project ${project}`)
  if (space !== null && row.space !== space)
    throw new CarrelError('bad_input', `The project ${project} is not in the Space ${space}. Name one of both.`)
  return { workspace, space: row.space, project }
}

/** A limit that nothing here would keep is not taken, since nobody may rely on it (F8). One that stands already stays. */
async function mustBeKept(ctx: Context, scope: SettingsScope, { limits }: EnvironmentChange): Promise<void> {
  const before = (await ownAt(ctx, scope)).limits
  for (const limit of HeldLimits.keyof().options) {
    if (limits?.[limit] === undefined || limits[limit] === before?.[limit]) continue
    const found = await ctx.cgroups.wayOf(limit)
    if ('way' in found) continue
    const { why, next } = found.obstacle
    throw new CarrelError('bad_input', `This machine cannot keep a limit of ${WHAT[limit]}. ${why} ${next}`, { next })
  }
}

/** What to do about a limit that ended an agent: who says it, and how it is raised there. */
export async function raiseWords(ctx: Context, scope: SettingsScope, { limit, at }: LimitReached): Promise<string> {
  const said = (await environmentOf(ctx, scope)).limits[limit]
  // Somebody changed it meanwhile: the next process has another.
  if (said?.value !== at || said.from === 'default') return 'Prompt again: the session goes on.'
  const where = { workspace: '', space: ` --space ${scope.space}`, project: ` --project ${scope.project}` }[said.from]
  const more = limit === 'memoryBytes' ? sizeShort(at * 2) : at * 2
  return `That is the limit of the ${WHOSE[said.from]}. Raise it with \`carrel env set --limit ${limit}=${more}${where}\` or on the page, or ask for less at once; then prompt again: the session goes on.`
}

const WHOSE = { workspace: 'workspace', space: 'Space', project: 'project' } as const

/** Variables are for everybody to see. */
async function mustBePlain(ctx: Context, { workspace }: SettingsScope, { env }: EnvironmentChange): Promise<void> {
  const mask = await ctx.vault.maskOf(workspace)
  for (const [name, value] of Object.entries(env ?? {})) {
    const shown = mask.text(value)
    if (shown === value) continue
    throw new CarrelError(
      'bad_input',
      `The value of ${name} holds a secret (${/\[secret [^\]]*\]/.exec(shown)?.[0] ?? markOf('')}), and variables are for everybody to see. Runs get the secret as a variable of its own name; leave ${name} out.`,
    )
  }
}

export const givenToRun: Op<'runs.environment'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  if (!(await ctx.store.log.run(input.workspace, input.id)))
    throw new CarrelError('not_found', `There is no run ${input.id} in this workspace.`, { id: input.id })
  const given = await readGiven(ctx.config, input.id)
  if (given) return given
  throw new CarrelError(
    'gone',
    'What this run was given is not kept: it has no agent yet, or its folder was removed when its time was over (`carrel retention`).',
    { id: input.id },
  )
}
