import { setTimeout as pause } from 'node:timers/promises'
import type { AgentListener } from '../../host/agent/agent.ts'
import type { Place } from '../../host/places/place.ts'
import type { Config } from '../../model/config.ts'
import { EMPTY_AGENT, type RunView } from '../../model/view.ts'
import type { Joined } from '../agents/agent-pool.ts'
import { rejoinBrowser, seatWith } from '../browsers/browsers.ts'
import type { Context } from '../context.ts'
import { loadFold } from '../folding.ts'
import { agentPlace, needOf } from './run-context.ts'
import type { RunWork } from './run-work.ts'

/**
 * How long an agent may go on without its server. Another node takes over when a lease has run out and cannot see this
 * machine's agents: there it must have ended by then (S3).
 */
export const graceMs = ({ outliveMs, databaseUrl, leaseTtlMs }: Config): number =>
  databaseUrl === null ? outliveMs : Math.min(outliveMs, Math.floor(leaseTtlMs / 2))

/** Names a turn of a run in the spool of its agent, so that a server that comes back knows whether the prompt got there. */
export const turnTag = (run: RunView): string => `${run.id}:${run.turns}`

/** Whether the agent of a run that an earlier life of this server started may still be there, or what it left. */
export function outlived({ ctx, recorder }: RunWork): boolean {
  const { run, agents } = recorder.view
  return run?.state === 'started' && ctx.pool.outlived(agents[run.agent]?.keeper ?? null)
}

/**
 * Takes up with the agent of a run that an earlier life of this server started: what it said since goes to the listener
 * in its order. Null when nothing is left of it.
 */
export async function rejoinRun(
  work: RunWork,
  run: RunView,
  at: Place,
  listener: (heardBefore: number) => AgentListener,
): Promise<Joined | null> {
  const { ctx, recorder } = work
  const agent = recorder.view.agents[run.agent] ?? EMPTY_AGENT
  const { keeper, fingerprint, acpSession } = agent
  if (keeper === null || fingerprint === null || acpSession === null) return null
  const need = await needOf(work, run, at, (wish) => rejoinBrowser(ctx, wish))
  const { browser } = need
  const joined = await ctx.pool.rejoin(need, { keeper, fingerprint, acpSession, place: agentPlace(at), listener })
  if (joined) return { ...joined, seat: await seatWith(browser, ctx.config, async () => joined.seat) }
  await browser?.release()
  return null
}

/** How often it is looked for agents that nobody wants. ms. */
const SWEEP_MS = 2_500
const PAGE = 200

/**
 * Ends agents of an earlier life that no run under way can take up again (P1), and looks again until none is left:
 * however long it takes on a busy machine to take them up.
 */
export function sweepOutlived(ctx: Context): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const sweep = async () => {
    while (ctx.pool.unclaimed > 0 && !stopping.signal.aborted) {
      await pause(SWEEP_MS, undefined, { signal: stopping.signal }).catch(() => undefined)
      await ctx.pool.dropOutlived(await wantedKeepers(ctx))
    }
    // Whoever took up with an agent has its browser by then.
    if (ctx.pool.unclaimed === 0) await ctx.browsers.dropOutlived()
  }
  const sweeping = sweep().catch((thrown) => ctx.log.warn('Agents of an earlier start may be left over.', thrown))
  return {
    async stop() {
      stopping.abort()
      await sweeping
    },
  }
}

/** Those that logs of runs under way name. */
async function wantedKeepers({ store }: Context): Promise<Set<string>> {
  const wanted = new Set<string>()
  for (const { id } of await store.tree.workspaces()) {
    for (let cursor: string | null = null; ; ) {
      const { rows, cursor: next } = await store.log.runs(id, { live: true }, { cursor, limit: PAGE })
      for (const { session, agent } of rows) {
        const keeper = (await loadFold(store, session)).view.agents[agent]?.keeper
        if (keeper) wanted.add(keeper)
      }
      if (next === null) break
      cursor = next
    }
  }
  return wanted
}
