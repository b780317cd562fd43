import type { PromptAnswer } from '../../../host/agent/agent.ts'
import type { ContentBlock } from '../../../model/events/events.ts'
import type { RunView } from '../../../model/events/view.ts'
import type { AgentSlot, LiveContext } from '../../agents/agent-slot.ts'
import type { RunFiles } from '../files/run-files.ts'
import type { RunWork } from '../run-work.ts'
import type { RunQuestions } from './asking.ts'

/** One turn of an agent: a run, the slot on the process that serves it, and its conversation there. */
export interface Turn {
  readonly work: RunWork
  readonly run: RunView
  readonly slot: AgentSlot
  readonly live: LiveContext
  readonly asking: RunQuestions
  readonly files: RunFiles
}

/**
 * The prompts of a turn: content to be sent, or answers to prompts that the agent has already. `recorded`: the start is
 * in the log already, under a proven lease. `unsent`: an earlier server wrote the start and sent nothing.
 */
export type TurnTask =
  | { readonly content: readonly ContentBlock[]; readonly how: 'start' | 'resume' | 'recorded' | 'unsent' }
  | { readonly answers: readonly Promise<PromptAnswer>[] }
