import { setImmediate } from 'node:timers/promises'
import { asCarrelError } from '../model/errors.ts'
import type { SessionId } from '../model/ids.ts'
import type { Context } from './context.ts'
import { refold } from './folding.ts'

const PAGE = 200

/**
 * Makes the stored folds of an earlier version anew from their logs, one session at a time, the newest first. Readers
 * fold such a session themselves, but the search reads stored items only. Nodes without runs leave this to the others.
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
      'The folds of an earlier version could not be renewed; the search finds their sessions after a restart.',
      thrown,
    )
  }
}

/** Takes the lease for the write alone, so that a prompt does not wait until a long log is folded. */
async function refoldOne(ctx: Context, session: SessionId): Promise<void> {
  try {
    const fold = await refold(ctx.store, session)
    const lease = await ctx.leases.acquire(`session:${session}`)
    // The holder stores the fold itself when the session rests.
    if (!lease) return
    try {
      if ((await ctx.store.log.fold(session)) === null) await ctx.store.log.rebuild(session, fold)
    } finally {
      await lease.release()
    }
  } catch (thrown) {
    const error = asCarrelError(thrown)
    if (error.code === 'not_found') return
    ctx.log.warn(`The search may not find the messages of session ${session}: ${error.message}`, error.cause)
  }
}
