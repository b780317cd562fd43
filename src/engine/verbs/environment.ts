import { WHAT } from '../../host/cgroups/cgroups.ts'
import { CarrelError } from '../../model/errors.ts'
import { markOf } from '../../model/secrets/mask.ts'
import {
  type Environment,
  type EnvironmentChange,
  HeldLimits,
  type SettingsScope,
} from '../../model/settings/environment.ts'
import { enter, runIn } from '../authorize.ts'
import type { Context } from '../context.ts'
import { readGiven } from '../files/run-folder.ts'
import type { Op } from '../op.ts'
import { environmentOf } from '../scope-settings.ts'

export const getEnvironment: Op<'environment.get'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  return await read(ctx, await scopeIn(ctx, input))
}

export const setEnvironment: Op<'environment.set'> = async (ctx, caller, { settings, ...where }) => {
  await enter(ctx, caller, where.workspace)
  const scope = await scopeIn(ctx, where)
  await checkLimits(ctx, scope, settings)
  await checkVariables(ctx, scope, settings)
  await ctx.store.environment.change(scope, settings, ctx.now())
  return await read(ctx, scope)
}

async function read(ctx: Context, scope: SettingsScope) {
  return { own: await ownAt(ctx, scope), effective: await environmentOf(ctx, scope) }
}

async function ownAt({ store }: Context, scope: SettingsScope): Promise<Environment> {
  const settings = await store.environment.at(scope)
  return scope.project !== null ? settings.project : scope.space !== null ? settings.space : settings.workspace
}

/** Returns a scope with the Space of its project. Comes first, so that nothing of another workspace shows (B1). */
async function scopeIn(ctx: Context, { workspace, space, project }: SettingsScope): Promise<SettingsScope> {
  const missing = (what: string) => new CarrelError('not_found', `There is no ${what} in this workspace.`)
  if (space !== null && !(await ctx.store.tree.space(workspace, space))) throw missing(`Space ${space}`)
  if (project === null) return { workspace, space, project }
  const row = await ctx.store.tree.project(workspace, project)
  if (!row) throw missing(`project ${project}`)
  if (space !== null && row.space !== space)
    throw new CarrelError('bad_input', `The project ${project} is not in the Space ${space}. Name one of them.`)
  return { workspace, space: row.space, project }
}

/** Refuses a new limit that this machine cannot enforce, since nobody could rely on it (F8). @throws bad_input */
async function checkLimits(ctx: Context, scope: SettingsScope, { limits }: EnvironmentChange): Promise<void> {
  const space = scope.space === null ? null : await ctx.store.tree.space(scope.workspace, scope.space)
  // Only the machine of a Space knows its own limits: a run there meets them.
  if (space && !ctx.machines.has(space)) return
  const before = (await ownAt(ctx, scope)).limits
  for (const limit of HeldLimits.keyof().options) {
    if (limits?.[limit] === undefined || limits[limit] === before?.[limit]) continue
    const found = await ctx.cgroups.wayOf(limit)
    if ('way' in found) continue
    const { why, next } = found.obstacle
    throw new CarrelError('bad_input', `This machine cannot enforce a limit of ${WHAT[limit]}. ${why} ${next}`, {
      next,
    })
  }
}

/** Refuses a variable that holds the value of a secret, because everybody can read variables. @throws bad_input */
async function checkVariables(ctx: Context, { workspace }: SettingsScope, { env }: EnvironmentChange): Promise<void> {
  const mask = await ctx.vault.maskOf(workspace)
  for (const [name, value] of Object.entries(env ?? {})) {
    const shown = mask.text(value)
    if (shown === value) continue
    const message = `The value of ${name} holds a secret (${/\[secret [^\]]*\]/.exec(shown)?.[0] ?? markOf('')}), and everybody can read variables. Runs get the secret as an environment variable of its own name, so leave out ${name}.`
    throw new CarrelError('bad_input', message)
  }
}

export const givenToRun: Op<'runs.environment'> = async (ctx, caller, input) => {
  await runIn(ctx, caller, input.workspace, input.id)
  const given = await readGiven(ctx.config, input.id)
  if (given) return given
  const message =
    'The environment of this run is not available: the run has no agent yet, or retention removed its folder (`carrel retention`).'
  throw new CarrelError('gone', message, { id: input.id })
}
