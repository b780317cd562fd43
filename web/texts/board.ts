import { RUN_WORDS, SESSION_WORDS } from '../../src/model/state-words.ts'
import type { RunOutcome } from '../../src/model/tree.ts'
import { count } from './format.ts'

export const board = {
  title: 'Board',
  sessions: (sessions: number) => count(sessions, 'session'),
  keys: { mark: 'select', open: 'open' },
  state: 'State',
  byState: 'Sessions by state',
  more: (cards: number) => `Show ${cards} more`,
  columns: {
    waiting: { title: SESSION_WORDS.waiting, empty: 'No open questions.' },
    running: { title: SESSION_WORDS.running, empty: 'No running sessions.' },
    queued: { title: SESSION_WORDS.queued, empty: 'No queued sessions.' },
    failed: { title: 'Failed or lost', empty: 'No failed or lost sessions.' },
    idle: { title: SESSION_WORDS.idle, empty: 'No idle sessions.' },
  },
  /** The latest news of a session. */
  news: {
    asks: 'Has a question for you',
    running: SESSION_WORDS.running,
    queued: SESSION_WORDS.queued,
    closed: SESSION_WORDS.closed,
    none: 'No prompts yet',
    ended: (outcome: RunOutcome) => `Last run: ${RUN_WORDS[outcome].toLowerCase()}`,
    andWaiting: (prompts: number) => `, ${count(prompts, 'prompt')} queued`,
  },
  mark: (session: string) => `Select ${session}`,
  marked: {
    title: 'Selected sessions',
    count: (sessions: number) => `${count(sessions, 'session')} selected`,
    stop: (sessions: number) => (sessions > 0 ? `Stop ${sessions}` : 'Stop'),
    archive: (sessions: number) => `Archive ${sessions}`,
    unmark: 'Clear selection',
    more: (sessions: number) => `and ${sessions} more`,
    leave: 'Cancel',
  },
  stop: {
    title: (sessions: number) => `Stop ${count(sessions, 'session')}?`,
    text: 'Their current runs stop, and the next queued prompts start. Changes already made are kept.',
    pending: 'Stopping…',
    done: (sessions: number) => `Stopping ${count(sessions, 'session')}.`,
    notDone: 'not stopped',
  },
  archive: {
    title: (sessions: number) => `Archive ${count(sessions, 'session')}?`,
    text: (runs: number) => {
      const goOn = runs > 0 ? ` ${count(runs, 'run')} in them ${runs === 1 ? 'continues' : 'continue'}.` : ''
      return `Archived sessions leave the sidebar and the board. You can restore them.${goOn}`
    },
    pending: 'Archiving…',
  },
  empty: {
    title: 'No sessions yet',
    text: 'The board groups the sessions of all Spaces by state: which need you, which are running, which failed.',
    start: 'Start a session',
  },
} as const
