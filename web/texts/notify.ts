import type { RunOutcome } from '../../src/model/tree.ts'

/** Texts of system notifications. */
export const notify = {
  asks: (session: string | undefined) => `${session ?? 'A session'} has a question`,
  ended: {
    completed: 'The run completed.',
    cancelled: 'The run was cancelled.',
    failed: 'The run failed.',
    refused: 'The agent refused the prompt.',
    over_budget: 'The run went over budget.',
    lost: 'The run was lost.',
  } satisfies Record<RunOutcome, string>,
} as const
