import type { PausedData } from '../../api/admin.ts'
import { pauseText, type WaitingWork } from '../../model/binding.ts'
import { CarrelError } from '../../model/errors.ts'
import type { Caller } from '../../model/tree.ts'
import { mayEnter } from '../authorize.ts'
import type { Context } from '../context.ts'
import type { Op } from '../op.ts'

/** Returns the pause of the data folder with the work that waits, as far as the caller may see both; null for none. */
export async function pausedFor(ctx: Context, caller: Caller): Promise<PausedData | null> {
  const { reason } = ctx.pause
  if (reason === null) return null
  const waiting = await waitingFor(ctx, caller)
  if (caller.workspaces !== null) return { ...reason, other: null, text: 'This data folder is paused.', waiting }
  return { ...reason, text: pauseText(reason), waiting }
}

async function waitingFor(ctx: Context, caller: Caller): Promise<WaitingWork> {
  const all = (await ctx.store.tree.workspaces()).filter(({ id }) => mayEnter(caller, id))
  const each = await Promise.all(all.map(({ id }) => ctx.store.log.waiting(id)))
  const sum = (key: keyof WaitingWork) => each.reduce((total, one) => total + one[key], 0)
  return { prompts: sum('prompts'), runs: sum('runs'), questions: sum('questions') }
}

/** An agent may not decide, since the decision makes agents work. */
export const unpause: Op<'server.unpause'> = async (ctx, caller, { confirm }) => {
  if (caller.workspaces !== null || caller.face === 'mcp')
    throw new CarrelError('forbidden', 'Only the installation admin may decide that a paused data folder goes on.')
  const paused = await pausedFor(ctx, caller)
  const replaced = confirm ? await ctx.unpause() : null
  return { paused, goesOn: ctx.pause.reason === null, replaced }
}
