import type { Parsed } from '../../api/index.ts'
import { CarrelError } from '../../model/errors.ts'
import { enter } from '../authorize.ts'
import type { Context } from '../context.ts'
import type { Op } from '../op.ts'

export const listSecrets: Op<'secrets.list'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  return { secrets: await ctx.vault.list(input.workspace) }
}

export const putSecret: Op<'secrets.put'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  await checkScope(ctx, input)
  if (input.space !== null && input.project !== null)
    throw new CarrelError('bad_input', 'A secret belongs to a Space or to a project. Name one of them, or none.')
  const unknown = input.give?.find((agent) => !ctx.agents.known(agent))
  if (unknown !== undefined) await ctx.agents.resolve(unknown)
  const { value, ...secret } = input
  const now = ctx.now()
  return await ctx.vault.put({ ...secret, createdAt: now, updatedAt: now }, value)
}

/** Comes before every other check, so that nothing of another workspace shows (B1). @throws not_found */
async function checkScope(ctx: Context, { workspace, space, project }: Parsed<'secrets.put'>): Promise<void> {
  const missing =
    space !== null && !(await ctx.store.tree.space(workspace, space))
      ? `Space ${space}`
      : project !== null && !(await ctx.store.tree.project(workspace, project))
        ? `project ${project}`
        : null
  if (missing !== null) throw new CarrelError('not_found', `There is no ${missing} in this workspace.`)
}

export const removeSecret: Op<'secrets.remove'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  if (await ctx.vault.remove(input)) return { removed: true }
  const message = `There is no secret ${input.name} in this scope. \`carrel secrets list\` shows all secrets with their scopes.`
  throw new CarrelError('not_found', message, { name: input.name })
}

export const rotateSecrets: Op<'secrets.rotate'> = async (ctx, caller) => {
  if (caller.workspaces !== null)
    throw new CarrelError(
      'forbidden',
      'The key is for all workspaces. Only the owner of the installation can change it.',
    )
  const lease = await ctx.leases.acquire('secrets:rotate')
  if (!lease) throw new CarrelError('busy', 'The key is being changed already. Try again when that is done.')
  try {
    return await ctx.vault.rotate()
  } finally {
    await lease.release()
  }
}
