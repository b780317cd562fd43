import { nextStep } from '../../model/events/view.ts'
import { NOTHING_SPENT } from '../../model/settings/spending.ts'
import type { Submitted } from '../../store/store.ts'
import type { AgentSlot } from '../agents/agent-slot.ts'
import type { ArrivingPrompt, PromptDoor } from '../arriving-prompt.ts'
import { planRun, type RunPlan, startRun } from './admit.ts'
import { budgetUsedUp } from './budgets.ts'
import { configFor, isNewest } from './run-conversation.ts'
import { noteGiven } from './run-given.ts'
import { contextOf, describeNeed, wantsBrowser } from './run-need.ts'
import type { RunWork } from './run-work.ts'

/**
 * Warm start: a prompt, its admission and the start of its run are one commit, where an agent process of this node has
 * the conversation open. All other prompts are submitted first and admitted by the holder of their session.
 */

/** A prompt waits this long for a warm start. ms. */
const PATIENCE_MS = 10

export function createPromptDoor(): PromptDoor {
  let offer: ((arriving: ArrivingPrompt) => boolean) | null = null
  return {
    async submit(prompt, write) {
      const written = Promise.withResolvers<Submitted>()
      let called = false
      const submit: ArrivingPrompt['submit'] = (begins) => {
        if (!called) written.resolve(write(begins))
        called = true
        return written.promise.catch(() => null)
      }
      if (!offer?.({ ...prompt, submit })) return await write(null)
      const patience = setTimeout(() => void submit(null), PATIENCE_MS)
      try {
        return await written.promise
      } finally {
        clearTimeout(patience)
      }
    },
    onPrompt(listener) {
      offer = listener
      return () => {
        offer = null
      }
    },
  }
}

/**
 * Writes an arriving prompt. With a warm slot its run starts in the same commit and is served until it ends. Without
 * one, returns the plan of the run for its admission; null where there is nothing to admit.
 */
export async function startWarm(work: RunWork, { prompt, submit }: ArrivingPrompt): Promise<RunPlan | null> {
  const { ctx, recorder } = work
  const rests = nextStep(recorder.view, ctx.now()).do === 'rest'
  const plan = rests ? planRun(work, prompt.agent) : null
  const slot = plan && (await warmSlot(work, plan))
  if (!plan || !slot) {
    await submit(null)
    return plan
  }
  const write = (...outcomes: Parameters<typeof recorder.record>) => recorder.recordWith(submit, ...outcomes)
  await startRun(work, { prompt: prompt.prompt, plan, slot, write })
  return null
}

/**
 * Takes the slot where the conversation of a run is open, if its agent can get the prompt at once. Null where a budget
 * is used up, a setting is pending, or a browser would have to start.
 */
export async function warmSlot(work: RunWork, { run, opened }: RunPlan): Promise<AgentSlot | null> {
  const { ctx, recorder } = work
  try {
    const { place } = await opened
    if (!ctx.pool.holds(contextOf(recorder.session.id, run.agent))) return null
    const need = await describeNeed(work, run, place)
    if (wantsBrowser(need) || (await budgetUsedUp(work, { spent: NOTHING_SPENT }))) return null
    const slot = configFor(work, run, false) ? null : ctx.pool.warm(need)
    if (slot && !isNewest(work, run.agent, slot)) {
      slot.leave()
      return null
    }
    if (slot) noteGiven(work, { run, need, slot })
    return slot
  } catch {
    // The worker of the run meets the same error and reports it.
    return null
  }
}
