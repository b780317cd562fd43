import type { AgentListener } from '../host/agent.ts'
import { EMPTY_AGENT, type RunView } from '../model/view.ts'
import type { Joined } from './agent-pool.ts'
import { needOf, placeOf } from './run-context.ts'
import type { RunWork } from './run-work.ts'

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
  listener: (heardBefore: number) => AgentListener,
): Promise<Joined | null> {
  const { ctx, recorder } = work
  const agent = recorder.view.agents[run.agent] ?? EMPTY_AGENT
  const { keeper, fingerprint, acpSession } = agent
  if (keeper === null || fingerprint === null || acpSession === null) return null
  const need = await needOf(work, run)
  return await ctx.pool.rejoin(need, { keeper, fingerprint, acpSession, place: placeOf(run), listener })
}
