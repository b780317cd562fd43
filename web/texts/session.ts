import type { RunOutcome, RunState } from '../../src/model/tree.ts'
import { count } from '../ui/format.ts'

/** The view of a session around its transcript. */
export const session = {
  loading: 'Loading the session ...',
  gone: { title: 'This session is not there.', text: 'It was deleted, or the address is wrong.' },
  failed: 'The session could not be loaded.',
  header: {
    tabs: (project: string | undefined) => `Sessions of ${project ?? 'this project'}`,
    newSession: 'New session in this project',
    blank: 'Blank Space',
    missing: 'folder is missing',
    branch: (branch: string) => `Branch ${branch}`,
  },
  find: {
    title: 'Find in this session',
    older: 'Older',
    newer: 'Newer',
    close: 'Close the search',
    /** `here` from 1 on; 0 before one was gone to. */
    found: (here: number, found: number, more: boolean) =>
      found === 0 ? 'nothing found' : `${here === 0 ? '' : `${here} of `}${found}${more ? '+' : ''}`,
  },
  status: {
    stopping: (agent: string) => `Stopping ${agent} ...`,
    waiting: (agent: string, questions: number) => `${agent} waits for ${count(questions, 'answer')} from you`,
    starting: (agent: string) => `Starting ${agent} ...`,
    queued: (before: number) => `Waiting for a browser: ${before === 0 ? 'next in line' : `${before} before it`}`,
    parked: (agent: string) => `${agent} is resting and goes on with your answer`,
    working: (agent: string) => `${agent} is working`,
    stop: 'Stop',
    context: (used: string, size: string) => `${used} of ${size} tokens of context used`,
    cost: (cost: string) => `, ${cost} so far`,
  },
  tokens: (tokens: string) => `${tokens} tokens`,
  runs: {
    title: 'Runs',
    empty: 'A run begins with each prompt. There was none yet.',
    states: {
      admitted: 'admitted',
      started: 'started',
      parked: 'parked',
      ended: 'ended',
    } satisfies Record<RunState, string>,
    outcomes: {
      completed: 'completed',
      cancelled: 'cancelled',
      failed: 'failed',
      refused: 'refused',
      over_budget: 'over budget',
      lost: 'lost',
    } satisfies Record<RunOutcome, string>,
    took: (state: string, time: string) => `${state} in ${time}`,
    place: (path: string) => `in ${path}`,
  },
} as const
