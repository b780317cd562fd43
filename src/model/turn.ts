import type { SessionView } from './events/view.ts'
import type { Reached } from './settings/spending.ts'

export type TurnEnd =
  | TurnAnswer
  /** A person or the server stopped the agent; `answered` says whether the agent confirmed it. */
  | { readonly kind: 'cancelled'; readonly why: 'cancelled' | 'stopped'; readonly answered: boolean }
  /** A budget is used up: the run waits until more is allowed. */
  | { readonly kind: 'exhausted'; readonly reached: Reached; readonly answered: boolean }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'parked'; readonly reason: string }
  /** The server stops and the agent goes on; the next server takes the turn over. */
  | { readonly kind: 'left' }

/** An agent's answer to its prompt: the stop reason of ACP, and the whole answer as sent. */
export interface TurnAnswer {
  readonly kind: 'answered'
  readonly stopReason: string
  readonly raw: unknown
}

/** A turn that has not ended: its open prompts, and the reason why the agent was asked to stop. */
export interface TurnState {
  readonly stop: 'cancelled' | 'stopped' | Reached | null
  /** Prompts that the agent works at or that are being written for it. */
  readonly prompts: number
  readonly answer: TurnAnswer | null
  readonly ended: boolean
}

export const NEW_TURN: TurnState = { stop: null, prompts: 0, answer: null, ended: false }

export type TurnSignal =
  /** A person ends the run or closes the session. */
  | { readonly kind: 'called-off' }
  | { readonly kind: 'budget-reached'; readonly reached: Reached }
  /** `waits`: the run only waits for a person. `leaves`: agents outlive this server. */
  | { readonly kind: 'server-stopping'; readonly waits: boolean; readonly leaves: boolean }
  /** The run has waited for a person long enough to give its process up. */
  | { readonly kind: 'park-due' }
  /** The agent did not confirm the cancellation in time. */
  | { readonly kind: 'grace-over' }
  /** Prompts are on their way to the agent. */
  | { readonly kind: 'prompts-reserved'; readonly count: number }
  /** A reserved prompt does not reach the agent. */
  | { readonly kind: 'prompt-released' }
  | TurnAnswer
  /** The agent ended or refused its prompt. `waits`: a question is open, or its answer has not reached the agent. */
  | { readonly kind: 'failed'; readonly error: unknown; readonly waits: boolean }

export interface TurnStep {
  readonly state: TurnState
  /** `cancel` asks the agent to stop; `end` is the one end of the turn. */
  readonly act: { readonly do: 'cancel' } | { readonly do: 'end'; readonly end: TurnEnd } | null
}

/**
 * Decides a turn's reaction to a signal. Pure and total: an ended turn ignores all signals, and only the first reason
 * to stop counts.
 */
export function turnStep(state: TurnState, signal: TurnSignal): TurnStep {
  if (state.ended) return { state, act: null }
  switch (signal.kind) {
    case 'called-off':
      return stop(state, 'cancelled')
    case 'budget-reached':
      return stop(state, signal.reached)
    case 'server-stopping':
      if (signal.waits) return end(state, parked('The server was stopped while the run waited for a person.'))
      return signal.leaves ? end(state, { kind: 'left' }) : stop(state, 'stopped')
    case 'park-due':
      return end(state, parked('The run waits for a person.'))
    case 'grace-over':
      return end(state, { kind: 'failed', error: new Error('The agent did not stop in time.') })
    case 'prompts-reserved':
      return { state: { ...state, prompts: state.prompts + signal.count }, act: null }
    case 'prompt-released':
      return release(state)
    case 'answered':
      return release({ ...state, answer: signal })
    case 'failed':
      // The question and its answer outlive the agent that asked (I2).
      if (signal.waits) return end(state, parked('The agent ended while the run waited for a person.'))
      return end(state, { kind: 'failed', error: signal.error })
  }
}

/** Whether a person wants the run, or the whole session, to end. */
export const isCalledOff = (view: SessionView): boolean => view.run?.cancelling === true || view.state !== 'open'

const parked = (reason: string): TurnEnd => ({ kind: 'parked', reason })

const stop = (state: TurnState, why: NonNullable<TurnState['stop']>): TurnStep =>
  state.stop === null ? { state: { ...state, stop: why }, act: { do: 'cancel' } } : { state, act: null }

/** The turn is answered when all of its prompts are. */
function release(before: TurnState): TurnStep {
  const state = { ...before, prompts: before.prompts - 1 }
  return state.prompts > 0 || state.answer === null ? { state, act: null } : end(state, state.answer)
}

const end = (state: TurnState, how: TurnEnd): TurnStep => ({
  state: { ...state, ended: true },
  act: { do: 'end', end: endOf(state, how) },
})

/** A stopped agent may answer, fail or keep silent: each of them is the end that was asked for. */
function endOf({ stop: why }: TurnState, how: TurnEnd): TurnEnd {
  if (why === null || (how.kind !== 'answered' && how.kind !== 'failed')) return how
  const answered = how.kind === 'answered'
  return typeof why === 'string' ? { kind: 'cancelled', why, answered } : { kind: 'exhausted', reached: why, answered }
}
