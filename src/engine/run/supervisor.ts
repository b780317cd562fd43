import { asCarrelError } from '../../model/errors.ts'
import type { SessionId, WorkspaceId } from '../../model/ids.ts'
import type { Context } from '../context.ts'
import { loadFold } from '../folding.ts'
import type { Coming } from './ahead.ts'
import { holdSession } from './holder.ts'

export interface Supervisor {
  /** Sessions this node holds at the moment. */
  readonly held: number
  /** Takes nothing new, lets what is held come to its end, and gives the leases back (S4). */
  stop(): Promise<void>
}

/** A lost ring and a lease that ran out elsewhere are found at the latest after this. ms. */
const LOOK_MS = 1_000
/** A session whose holding failed is left alone for a moment, so that a broken one does not spin. ms. */
const RETRY_MS = [250, 1_000, 5_000, 15_000]

/**
 * Finds sessions that want something and that nobody holds, takes their lease and holds them until they rest. Crash,
 * restart and takeover need nothing else: a session stays due until it is settled.
 */
export function startSupervisor(ctx: Context): Supervisor {
  const stopping = new AbortController()
  const holding = new Map<string, Promise<void>>()
  const failures = new Map<string, { count: number; until: number }>()
  let looking: Promise<void> | null = null
  let again = false
  let timer: NodeJS.Timeout | null = null

  const hold = async (session: SessionId, workspace: WorkspaceId, coming: Coming | null) => {
    const lease = ctx.leases.claim(`session:${session}`)
    if (!lease) return void coming?.submit(null)
    try {
      const [row, loaded] = await Promise.all([
        ctx.store.tree.session(workspace, session),
        loadFold(ctx.store, session),
      ])
      if (row) await holdSession(ctx, row, lease, loaded, stopping.signal, coming)
      failures.delete(session)
    } catch (thrown) {
      const error = asCarrelError(thrown)
      // Somebody else was first.
      if (!lease.taken && (error.code === 'lease_lost' || error.code === 'busy')) return
      const count = (failures.get(session)?.count ?? 0) + 1
      const wait = RETRY_MS[Math.min(count, RETRY_MS.length) - 1] ?? 0
      failures.set(session, { count, until: ctx.now() + wait })
      ctx.log.warn(
        `Session ${session} could not go on: ${error.message}`,
        error.code === 'internal' ? error.cause : undefined,
      )
    } finally {
      // Its prompt arrives, whatever became of this.
      void coming?.submit(null)
      await lease.release().catch((thrown) => ctx.log.warn(`The lease of ${session} could not be given back.`, thrown))
    }
  }

  const begin = (session: SessionId, workspace: WorkspaceId, coming: Coming | null = null): boolean => {
    if (holding.has(session)) return false
    const failed = failures.get(session)
    if (failed && failed.until > ctx.now()) return false
    const task = hold(session, workspace, coming).finally(() => {
      holding.delete(session)
      look()
    })
    holding.set(session, task)
    return true
  }

  const lookOnce = async () => {
    const room = ctx.config.runsAtOnce - holding.size
    if (room <= 0) return
    const due = await ctx.store.log.due(ctx.now(), room + holding.size)
    for (const { session, workspace } of due) {
      if (stopping.signal.aborted || holding.size >= ctx.config.runsAtOnce) return
      begin(session, workspace)
    }
  }

  const look = () => {
    if (stopping.signal.aborted || ctx.config.runsAtOnce === 0) return
    if (looking) {
      again = true
      return
    }
    looking = lookOnce()
      .catch((thrown) => ctx.log.warn('Looking for work failed; trying again.', thrown))
      .finally(() => {
        looking = null
        if (again) {
          again = false
          look()
        }
      })
  }

  const schedule = () => {
    timer = setTimeout(() => {
      look()
      schedule()
    }, LOOK_MS)
    timer.unref()
  }

  const unlisten = ctx.bell.listen(null, (ring) => {
    if (ring.due && !holding.has(ring.log)) look()
  })
  const deaf = ctx.ahead.listen((coming) => {
    const free = !stopping.signal.aborted && holding.size < ctx.config.runsAtOnce
    return free && begin(coming.session, coming.workspace, coming)
  })
  schedule()
  look()

  return {
    get held() {
      return holding.size
    },
    async stop() {
      stopping.abort()
      unlisten()
      deaf()
      if (timer) clearTimeout(timer)
      await looking
      await Promise.allSettled(holding.values())
    },
  }
}
