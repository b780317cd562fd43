import type { RunItem } from './events/items.ts'
import type { Run, RunOutcome, RunState, SessionState } from './tree.ts'

/** One word for each state of a session. Page and terminal show it; within a sentence it is written small. */
export const SESSION_WORDS = {
  idle: 'Idle',
  queued: 'Queued',
  running: 'Running',
  waiting: 'Needs you',
  failed: 'Failed',
  lost: 'Lost',
  closed: 'Ended',
} as const satisfies Record<SessionState, string>

/** One word for each state of a run. `queued` is a prompt that has no run yet. */
export const RUN_WORDS = {
  queued: 'Queued',
  admitted: 'Starting',
  started: 'Running',
  parked: 'Needs you',
  completed: 'Completed',
  cancelled: 'Cancelled',
  failed: 'Failed',
  refused: 'Refused',
  over_budget: 'Over budget',
  lost: 'Lost',
} as const satisfies Record<'queued' | Exclude<RunState, 'ended'> | RunOutcome, string>

/** One word for each state of a step: a tool call, or an entry of a plan. */
export const STEP_WORDS = {
  pending: 'Pending',
  in_progress: 'Running',
  completed: 'Done',
  failed: 'Failed',
  cancelled: 'Cut off',
  interrupted: 'Cut off',
} as const

/** Label of a message that an agent sent after the end of a run; the run's id follows. */
export const AFTERWORD_WORDS = 'After run'

/** Returns the word for a run: its outcome once it has ended, its state before. A run with an open question needs you. */
export function runWord({ state, outcome }: Pick<Run, 'state' | 'outcome'>, asks = false): string {
  if (asks && state !== 'ended') return RUN_WORDS.parked
  if (outcome) return RUN_WORDS[outcome]
  return state === 'ended' ? RUN_WORDS.lost : RUN_WORDS[state]
}

/** Returns the word for the status of a step. A status that ACP does not define stays as the agent sent it. */
export const stepWord = (status: string): string =>
  Object.hasOwn(STEP_WORDS, status) ? STEP_WORDS[status as keyof typeof STEP_WORDS] : status

/** Returns how long an ended run worked, ms; null before its end. Runs of old logs count the time of people too. */
export const workTime = ({ workedMs, endedAt, startedAt, at }: RunItem): number | null =>
  endedAt === null ? null : (workedMs ?? endedAt - (startedAt ?? at))
