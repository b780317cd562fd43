import type { Event } from './events/events.ts'
import type { PromptId, RunId } from './ids.ts'
import type { RunOutcome } from './tree.ts'

/** The state of a prompt for its sender, with the run that it began or joined. */
export interface PromptState {
  readonly state: 'accepted' | 'admitted' | 'started' | 'parked' | 'ended' | 'withdrawn'
  readonly run: RunId | null
  readonly outcome: RunOutcome | null
}

export const ACCEPTED: PromptState = { state: 'accepted', run: null, outcome: null }

export function promptStateAfter(before: PromptState, event: Event, prompt: PromptId): PromptState {
  switch (event.type) {
    case 'run.admitted':
      return event.data.prompt === prompt ? { ...before, state: 'admitted', run: event.data.run } : before
    case 'prompt.steered':
      return event.data.prompt === prompt ? { ...before, state: 'started', run: event.data.run } : before
    case 'withdrawal.requested':
    case 'prompt.withdrawn':
      return event.data.prompt === prompt ? { ...before, state: 'withdrawn' } : before
    case 'run.started':
    case 'run.resumed':
      return event.data.run === before.run ? { ...before, state: 'started' } : before
    case 'run.parked':
      return event.data.run === before.run ? { ...before, state: 'parked' } : before
    case 'run.ended':
      return event.data.run === before.run ? { ...before, state: 'ended', outcome: event.data.outcome } : before
    default:
      return before
  }
}
