import type { History } from '../../host/history/history.ts'
import type { SessionId } from '../../model/ids.ts'
import { allRows } from '../pages.ts'
import type { FilesContext } from './file-rooms.ts'
import { BASE } from './place-reach.ts'

/** Time between two sweeps. ms. */
const SWEEP_MS = 600_000

/** Keeps the file history within its budget (F7), in small steps beside other work. */
export function startHistoryRetention(ctx: FilesContext, opened: () => boolean): { stop(): void } {
  let sweeping = false
  const sweep = async () => {
    // Without an open place since the start, the history has not grown.
    if (sweeping || !opened()) return
    sweeping = true
    try {
      await sweepOnce(ctx)
    } catch (thrown) {
      ctx.log.warn('Old snapshots could not be removed. The next sweep tries again.', thrown)
    } finally {
      sweeping = false
    }
  }
  const timer = setInterval(() => void sweep(), SWEEP_MS)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

export async function sweepOnce(ctx: FilesContext): Promise<void> {
  const history = await ctx.history()
  await forgetDeleted(ctx)
  const { filesBudgetBytes: maxBytes, keepAllMs, keepHourlyMs } = ctx.config
  const needed = await neededIn(ctx, history)
  const { over } = await history.sweep({ now: ctx.now(), maxBytes, keepAllMs, keepHourlyMs, needed })
  for (const { workspace, bytes } of over) {
    ctx.log.warn(
      `The file history of workspace ${workspace} is ${Math.ceil(bytes / 1_048_576)} MiB over its budget. The rest is pinned, recent, or needed for an undo. Raise filesBudgetBytes, or unpin snapshots.`,
    )
  }
}

/**
 * Returns the snapshots that must stay, by place: those that live sessions and places can go back to, and the first
 * ones.
 */
async function neededIn(ctx: FilesContext, history: History): Promise<Map<string, number[]>> {
  const live = await liveSessions(ctx)
  const needed = new Map([...ctx.projectPlaces.followed.keys()].map((key) => [key, [BASE]]))
  for (const { key, n, session } of await history.pointedAt()) {
    if (session === null || live.has(session)) needed.set(key, [...(needed.get(key) ?? []), n])
  }
  return needed
}

async function liveSessions({ store }: FilesContext): Promise<ReadonlySet<SessionId>> {
  const live = new Set<SessionId>()
  for (const { id } of await store.tree.workspaces()) {
    const sessions = allRows((page) => store.tree.sessions(id, { archived: false }, page))
    for await (const session of sessions) live.add(session.id)
  }
  return live
}

async function forgetDeleted(ctx: FilesContext): Promise<void> {
  const history = await ctx.history()
  const { tree } = ctx.store
  for (const { labels } of await history.usage()) {
    const { workspace, space, project } = labels
    const id = workspace as Parameters<typeof tree.space>[0]
    const there = project ? await tree.project(id, project) : await tree.space(id, space)
    if (there) continue
    const key = project ? `project:${project}` : `space:${space}`
    ctx.projectPlaces.forget({ key })
    await history.forget(key)
  }
}
