import type { PromptAnswer } from '../../host/agent/agent.ts'
import { CarrelError } from '../../model/errors.ts'
import type { ContentBlock } from '../../model/events.ts'
import { EMPTY_AGENT, type QueuedPrompt, type SessionView } from '../../model/view.ts'
import { applyConfig } from './run-conversation.ts'
import type { Turn } from './turn.ts'

/** What people want of a running turn besides its end: text for the running agent, other settings. */
export interface Wishes {
  react(view: SessionView): Promise<void>
}

/** The prompts that an agent has in a turn, and those that are about to reach it. */
export interface Prompts {
  /** Keeps the turn open for a prompt that is being written down; false when the turn is over already. */
  reserve(): boolean
  /** Gives up what was reserved. */
  release(): void
  /** Hands over what was reserved; `tag` finds it again after a restart. */
  send(content: readonly ContentBlock[], tag: string): void
  /** Takes over prompts that the agent has already. */
  adopt(answers: readonly Promise<PromptAnswer>[]): void
}

export function createWishes(turn: Turn, prompts: Prompts): Wishes {
  const handed = new Set<string>()
  let told: unknown = null

  /** Hands text to the running agent where it can take it; else it is next in the queue, and that is said. */
  const steer = async (waiting: QueuedPrompt) => {
    const { work, run } = turn
    const { recipe } = await work.ctx.agents.resolve(run.agent)
    const able = recipe.steer === 'prompt' && waiting.agent === run.agent
    // Too late to join: the end of the run puts it first in the queue.
    if (able && !prompts.reserve()) return
    const reason = `${recipe.name} takes no text while it works; this is next in the queue.`
    try {
      if (able) await work.lease.renew()
      await work.recorder.record(
        able
          ? { type: 'prompt.steered', run: run.id, data: { prompt: waiting.prompt, run: run.id } }
          : { type: 'prompt.deferred', data: { prompt: waiting.prompt, reason } },
      )
    } catch (thrown) {
      if (able) prompts.release()
      // Withdrawn in the same moment: then there is nothing to hand over.
      if (!(thrown instanceof CarrelError) || thrown.code !== 'gone') throw thrown
      return
    }
    if (able) prompts.send(waiting.content, waiting.prompt)
  }

  return {
    async react(view) {
      const { pending } = view.agents[turn.run.agent] ?? EMPTY_AGENT
      if (pending && told !== pending) {
        told = pending
        await applyConfig(turn.work, turn.run, turn.live, false)
      }
      for (const waiting of view.steering) {
        if (handed.has(waiting.prompt)) continue
        handed.add(waiting.prompt)
        await steer(waiting)
      }
    },
  }
}
