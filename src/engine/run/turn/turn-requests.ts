import type { PromptAnswer } from '../../../host/agent/agent.ts'
import { CarrelError } from '../../../model/errors.ts'
import type { ContentBlock } from '../../../model/events/events.ts'
import { EMPTY_AGENT, type QueuedPrompt, type SessionView } from '../../../model/events/view.ts'
import { applyConfig } from '../run-conversation.ts'
import type { Turn } from './turn.ts'

export interface Prompts {
  /** Keeps the turn open for a prompt that is being recorded. Returns false when the turn is over. */
  reserve(): boolean
  release(): void
  /** Sends the reserved prompt. After a restart, `tag` identifies it. */
  send(content: readonly ContentBlock[], tag: string): void
  /** Takes over prompts that the agent has already received. */
  adopt(answers: readonly Promise<PromptAnswer>[]): void
}

/** Returns the reaction to requests other than the end of a running turn: text for the running agent, new settings. */
export function reactionOf(turn: Turn, prompts: Prompts): (view: SessionView) => Promise<void> {
  const handled = new Set<string>()
  let applied: unknown = null

  /** Sends text to the running agent. Records a deferral where the agent takes no text while it works. */
  const steer = async (waiting: QueuedPrompt) => {
    const { work, run } = turn
    const { recipe } = await work.ctx.agents.resolve(run.agent)
    const able = recipe.steer === 'prompt' && waiting.agent === run.agent
    // The turn is over: the end of the run puts this prompt first in the queue.
    if (able && !prompts.reserve()) return
    const reason = `${recipe.name} takes no text while it works. The prompt is next in the queue.`
    try {
      if (able) await work.lease.renew()
      await work.recorder.record(
        able
          ? { type: 'prompt.steered', run: run.id, data: { prompt: waiting.prompt, run: run.id } }
          : { type: 'prompt.deferred', data: { prompt: waiting.prompt, reason } },
      )
    } catch (thrown) {
      if (able) prompts.release()
      // The prompt was withdrawn at the same moment, so nothing is left to send.
      if (!(thrown instanceof CarrelError) || thrown.code !== 'gone') throw thrown
      return
    }
    if (able) prompts.send(waiting.content, waiting.prompt)
  }

  return async (view) => {
    const { pending } = view.agents[turn.run.agent] ?? EMPTY_AGENT
    if (pending && applied !== pending) {
      applied = pending
      await applyConfig(turn.work, turn.run, turn.live, false)
    }
    for (const waiting of view.steering) {
      if (handled.has(waiting.prompt)) continue
      handled.add(waiting.prompt)
      await steer(waiting)
    }
  }
}
