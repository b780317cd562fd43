import { setTimeout as pause } from 'node:timers/promises'
import type { AgentListener } from '../../host/agent/agent.ts'
import type { Place } from '../../host/places/place.ts'
import { EMPTY_AGENT, type RunView } from '../../model/events/view.ts'
import type { RejoinedSlot } from '../agents/agent-pool.ts'
import { rejoinBrowser, slotWith } from '../browsers/browsers.ts'
import type { Context } from '../context.ts'
import { loadFold } from '../folding.ts'
import { allRows } from '../pages.ts'
import { agentPlace } from './run-conversation.ts'
import { acquireNeed, describeNeed } from './run-need.ts'
import type { RunWork } from './run-work.ts'

/** Names a turn in the spool of its agent: the next server finds out by it whether the prompt reached the agent. */
export const turnTag = (run: RunView): string => `${run.id}:${run.turns}`

/** Whether the agent that an earlier server started for a run, or its spool, may still exist. */
export function outlived({ ctx, recorder }: RunWork): boolean {
  const { run, agents } = recorder.view
  return run?.state === 'started' && ctx.pool.survived(agents[run.agent]?.keeper ?? null)
}

/**
 * Connects to the agent that an earlier server started for a run. Its messages since then go to the listener, in their
 * order. Null when nothing is left of the agent.
 */
export async function rejoinRun(
  work: RunWork,
  run: RunView,
  at: Place,
  listener: (heardBefore: number) => AgentListener,
): Promise<RejoinedSlot | null> {
  const { ctx, recorder } = work
  const agent = recorder.view.agents[run.agent] ?? EMPTY_AGENT
  const { keeper, fingerprint, acpSession } = agent
  if (keeper === null || fingerprint === null || acpSession === null) return null
  const described = await describeNeed(work, run, at)
  const { need, browser } = await acquireNeed(work, run, described, (request) => rejoinBrowser(ctx.browsers, request))
  const from = (agent.openedAt ?? 0) >= run.admittedAt ? 'now' : 'prompt'
  const earlier = { keeper, fingerprint, acpSession, place: agentPlace(at), listener, run: run.id, from } as const
  const joined = await ctx.pool.rejoin(need, earlier)
  if (joined) return { ...joined, slot: await slotWith(browser, ctx.config, async () => joined.slot) }
  await browser?.release()
  return null
}

/** How often agents without a run are searched. ms. */
const SWEEP_MS = 2_500

/**
 * Ends agents of an earlier server that no live run needs (P1), and keeps what they sent since (L11). Repeats until none
 * is unclaimed, since a busy machine may rejoin its agents slowly.
 */
export function sweepOutlived(ctx: Context): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const sweep = async () => {
    while (ctx.pool.unclaimed > 0 && !stopping.signal.aborted) {
      await ctx.pool.endSurviving(await wantedKeepers(ctx), (...of) => conversationsWith(ctx, ...of))
      await pause(SWEEP_MS, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
    // Each rejoined agent has its browser by now.
    if (ctx.pool.unclaimed === 0) await ctx.browsers.dropSurviving()
  }
  const sweeping = sweep().catch((thrown) => ctx.log.warn('Agents of an earlier start may be left over.', thrown))
  return {
    async stop() {
      stopping.abort()
      await sweeping
    },
  }
}

/** The conversations whose log names this process. */
async function conversationsWith({ store }: Context, keeper: string, acpSessions: readonly string[]) {
  const found = await store.log.conversations(acpSessions)
  const own = await Promise.all(
    found.map(async (each) => (await loadFold(store, each.session)).view.agents[each.agent]?.keeper === keeper),
  )
  return found.filter((_, index) => own[index])
}

/** The keepers that logs of live runs name. */
async function wantedKeepers({ store }: Context): Promise<Set<string>> {
  const wanted = new Set<string>()
  for (const { id } of await store.tree.workspaces()) {
    for await (const { session, agent } of allRows((page) => store.log.runs(id, { live: true }, page))) {
      const keeper = (await loadFold(store, session)).view.agents[agent]?.keeper
      if (keeper) wanted.add(keeper)
    }
  }
  return wanted
}
