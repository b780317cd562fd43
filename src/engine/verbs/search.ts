import { enter, sessionIn } from '../authorize.ts'
import type { Op } from '../op.ts'

export const searchItems: Op<'search.items'> = async (ctx, caller, input) => {
  if (input.session) await sessionIn(ctx, caller, input.workspace, input.session)
  else await enter(ctx, caller, input.workspace)
  const filter = { text: input.text, session: input.session }
  const page = await ctx.store.log.search(input.workspace, filter, { cursor: input.cursor ?? null, limit: input.limit })
  return { hits: [...page.rows], cursor: page.cursor }
}
