import type { History } from '../../host/history/history.ts'
import type { SessionId } from '../../model/ids.ts'
import type { Context } from '../context.ts'
import { BASE } from './place-reach.ts'

/** How often old snapshots are looked at. ms. */
const EVERY_MS = 600_000

/** Keeps the history of files within its budget (F7), in small steps beside the work. */
export function startRetention(ctx: Context, opened: () => boolean): { stop(): void } {
  let sweeping = false
  const sweep = async () => {
    // Where nobody opened a place since the start, nothing was added either.
    if (sweeping || !opened()) return
    sweeping = true
    try {
      await sweepOnce(ctx)
    } catch (thrown) {
      ctx.log.warn('Old snapshots could not be thinned out; trying again later.', thrown)
    } finally {
      sweeping = false
    }
  }
  const timer = setInterval(() => void sweep(), EVERY_MS)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

/** Histories of what was deleted go first; then old snapshots, down to the budget. */
export async function sweepOnce(ctx: Context): Promise<void> {
  const history = await ctx.history()
  await forgetDeleted(ctx)
  const { filesBudgetBytes: maxBytes, keepAllMs, keepHourlyMs } = ctx.config
  const needed = await neededIn(ctx, history)
  const { over } = await history.sweep({ now: ctx.now(), maxBytes, keepAllMs, keepHourlyMs, needed })
  for (const { workspace, bytes } of over) {
    ctx.log.warn(
      `The history of files of workspace ${workspace} is ${Math.ceil(bytes / 1_048_576)} MiB over its budget; what is left is pinned, young, or where work began. Raise filesBudgetBytes, or unpin snapshots.`,
    )
  }
}

/** The way back of sessions that are not archived and of places that are there; and the beginning of what is open. */
async function neededIn(ctx: Context, history: History): Promise<Map<string, number[]>> {
  const live = await liveSessions(ctx)
  const needed = new Map([...ctx.care.followed.keys()].map((key) => [key, [BASE]]))
  for (const { key, n, session } of await history.pointedAt()) {
    if (session === null || live.has(session)) needed.set(key, [...(needed.get(key) ?? []), n])
  }
  return needed
}

async function liveSessions({ store }: Context): Promise<ReadonlySet<SessionId>> {
  const live = new Set<SessionId>()
  for (const { id } of await store.tree.workspaces()) {
    let cursor: string | null = null
    do {
      const page = await store.tree.sessions(id, { archived: false }, { cursor, limit: 500 })
      for (const session of page.rows) live.add(session.id)
      cursor = page.cursor
    } while (cursor !== null)
  }
  return live
}

async function forgetDeleted(ctx: Context): Promise<void> {
  const history = await ctx.history()
  const { tree } = ctx.store
  for (const { labels } of await history.usage()) {
    const { workspace, space, project } = labels
    const id = workspace as Parameters<typeof tree.space>[0]
    const there = project ? await tree.project(id, project) : await tree.space(id, space)
    if (there) continue
    const key = project ? `project:${project}` : `space:${space}`
    ctx.care.forget({ key })
    await history.forget(key)
  }
}
