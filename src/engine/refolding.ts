import { setImmediate } from 'node:timers/promises'
import { asCarrelError } from '../model/errors.ts'
import type { SessionId } from '../model/ids.ts'
import type { Context } from './context.ts'
import { refold } from './folding.ts'

/** Stored folds looked at in one read. */
const PAGE = 200

/**
 * Makes folds that an earlier version stored again from their logs, one session after the other, the newest first.
 * Readers fold such a session for themselves; the search knows stored items only and would not find what was said in it
 * until somebody prompts it. A node that runs nothing leaves this to those that do.
 */
export function startRefolding(ctx: Context): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const task = ctx.config.runsAtOnce === 0 ? Promise.resolve() : refoldAll(ctx, stopping.signal)
  return {
    async stop() {
      stopping.abort()
      await task
    },
  }
}

async function refoldAll(ctx: Context, stopping: AbortSignal): Promise<void> {
  try {
    let before: SessionId | null = null
    do {
      const page: Awaited<ReturnType<Context['store']['log']['staleFolds']>> = await ctx.store.log.staleFolds(
        before,
        PAGE,
      )
      for (const session of page.sessions) {
        if (stopping.aborted) return
        await refoldOne(ctx, session)
      }
      before = page.last
      await setImmediate()
    } while (before !== null && !stopping.aborted)
  } catch (thrown) {
    ctx.log.warn(
      'Sessions of an earlier version could not be looked for; the search finds them after a restart.',
      thrown,
    )
  }
}

/** The lease is taken for the write alone, so that a prompt that comes meanwhile does not wait for a long log. */
async function refoldOne(ctx: Context, session: SessionId): Promise<void> {
  try {
    const fold = await refold(ctx.store, session)
    const lease = await ctx.leases.acquire(`session:${session}`)
    // The holder stores the fold when the session comes to rest.
    if (!lease) return
    try {
      if ((await ctx.store.log.fold(session)) === null) await ctx.store.log.rebuild(session, fold)
    } finally {
      await lease.release()
    }
  } catch (thrown) {
    const error = asCarrelError(thrown)
    if (error.code === 'not_found') return
    ctx.log.warn(`The search may not find what was said in session ${session}: ${error.message}`, error.cause)
  }
}
