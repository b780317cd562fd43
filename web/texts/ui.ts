import type { SessionState } from '../../src/model/tree.ts'

/** What is said in more than one area, and what the small parts of the page say. */
export const ui = {
  states: {
    idle: 'idle',
    queued: 'queued',
    running: 'running',
    waiting: 'waits for you',
    failed: 'failed',
    lost: 'lost',
    closed: 'closed',
  } satisfies Record<SessionState, string>,
  loading: 'Loading ...',
  tryAgain: 'Try again',
  close: 'Close',
  cancel: 'Cancel',
  save: 'Save',
  send: 'Send',
  done: 'Done',
  noReason: 'The server gave no reason.',
  /** In place of the name of a session that is not here. */
  session: 'Session',
  code: { plain: 'text', copy: 'Copy code' },
  copied: 'Copied',
  picture: 'picture',
} as const
