import type { RunOutcome } from '../../src/model/tree.ts'
import { count } from '../ui/format.ts'

export const board = {
  title: 'Board',
  sessions: (sessions: number) => count(sessions, 'session'),
  keys: { mark: 'mark', open: 'open' },
  state: 'State',
  byState: 'Sessions by state',
  more: (cards: number) => `Show ${cards} more`,
  columns: {
    waiting: { title: 'Waits for you', empty: 'No agent asks anything.' },
    running: { title: 'Running', empty: 'No run is on.' },
    queued: { title: 'Queued', empty: 'Nothing waits for its turn.' },
    failed: { title: 'Failed or lost', empty: 'Nothing went wrong.' },
    idle: { title: 'Idle', empty: 'No session rests.' },
  },
  /** What happened last in a session. */
  news: {
    asks: 'Asks something',
    running: 'A run is on',
    queued: 'Waits for its turn',
    closed: 'Closed',
    none: 'Nothing was asked yet',
    ended: {
      completed: 'The last run is done',
      cancelled: 'The last run was stopped',
      failed: 'The last run failed',
      refused: 'The agent refused',
      over_budget: 'The budget was used up',
      lost: 'The last run was lost',
    } satisfies Record<RunOutcome, string>,
    andWaiting: (prompts: number) => `, ${count(prompts, 'prompt')} queued`,
  },
  mark: (session: string) => `Mark ${session}`,
  marked: {
    title: 'Marked sessions',
    count: (sessions: number) => `${count(sessions, 'session')} marked`,
    stop: (sessions: number) => (sessions > 0 ? `Stop ${sessions}` : 'Stop'),
    archive: (sessions: number) => `Archive ${sessions}`,
    unmark: 'Unmark all',
    more: (sessions: number) => `and ${sessions} more`,
    leave: 'Leave them',
  },
  stop: {
    title: (sessions: number) => `Stop ${count(sessions, 'session')}?`,
    text: 'Their runs end; what waits in their queues comes next. What was done stays done.',
    pending: 'Stopping ...',
    done: (sessions: number) => `${count(sessions, 'session')} told to stop.`,
    notDone: 'not stopped',
  },
  archive: {
    title: (sessions: number) => `Archive ${count(sessions, 'session')}?`,
    text: (runs: number) => {
      const goOn = runs > 0 ? ` ${count(runs, 'run')} in them ${runs === 1 ? 'goes' : 'go'} on.` : ''
      return `They leave rail and board and can be brought back.${goOn}`
    },
    pending: 'Archiving ...',
  },
  empty: {
    title: 'No session yet',
    text: 'The board shows the sessions of all Spaces by what they are doing: who waits for you, what runs, what failed.',
    start: 'Start one',
  },
} as const
