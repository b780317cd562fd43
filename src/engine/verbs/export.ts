import type { Parsed } from '../../api/index.ts'
import { markdownOf, titleText } from '../../model/markdown.ts'
import type { Mask } from '../../model/secrets/mask.ts'
import { sessionIn } from '../authorize.ts'
import type { Context } from '../context.ts'
import { readItems } from '../folding.ts'
import type { Op } from '../op.ts'

/** Masks values again: a text may have been stored before its secret was (B3). */
export const exportSession: Op<'sessions.export'> = async (ctx, caller, input) => {
  const session = await sessionIn(ctx, caller, input.workspace, input.id)
  const mask = await ctx.vault.maskOf(input.workspace)
  if (input.as === 'jsonl') return await events(ctx, input, mask)
  const { text, next } = await transcript(ctx, input)
  const title = input.after === 0 ? [titleText(session.name, session.agent, session.id)] : []
  return { text: mask.text([...title, ...text].map((part) => `${part}\n\n`).join('')), next }
}

async function events(ctx: Context, { id, after, limit }: Parsed<'sessions.export'>, mask: Mask) {
  const lines = await ctx.store.log.read(id, after, limit)
  const text = lines.map(({ json }) => `${mask.empty ? json : JSON.stringify(mask.value(JSON.parse(json)))}\n`).join('')
  return { text, next: lines.length < limit ? null : (lines.at(-1)?.seq ?? null) }
}

/** Items carry the number of the event that made them, so a page of the log is a page of items. */
async function transcript(ctx: Context, { id, after, limit }: Parsed<'sessions.export'>) {
  const end = after + limit
  const { items } = await readItems(ctx.store, id, end + 1, limit)
  const head = await ctx.store.log.head(id)
  const text = items.filter(({ n }) => n > after).map(markdownOf)
  return { text, next: end < head ? end : null }
}
