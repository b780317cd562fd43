import type { RunOutcome } from '../../src/model/tree.ts'

/** What a notification of the system says. */
export const notify = {
  asks: (session: string | undefined) => `${session ?? 'A session'} asks`,
  ended: {
    completed: 'The run is done.',
    cancelled: 'The run was stopped.',
    failed: 'The run failed.',
    refused: 'The agent refused.',
    over_budget: 'The run came to the end of its budget.',
    lost: 'The run was lost.',
  } satisfies Record<RunOutcome, string>,
} as const
