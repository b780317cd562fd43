import { count } from './format.ts'

function waiting(prompts: number, runs: number, questions: number): string {
  const parts = [
    prompts > 0 && count(prompts, 'queued prompt'),
    runs > 0 && count(runs, 'unfinished run'),
    questions > 0 && count(questions, 'open question'),
  ]
  return parts.filter(Boolean).join(', ') || 'no work'
}

export const shell = {
  title: (questions: number, session: string | undefined) =>
    `${questions > 0 ? `(${questions}) ` : ''}${session ? `${session} - ` : ''}Carrel`,
  skip: 'Skip to the session',
  loading: 'Loading the workspace…',
  broken: {
    title: 'Carrel cannot show this workspace.',
    next: 'Check that the server is running (carrel serve), then try again.',
  },
  /** A line of the stream. */
  unreadable: 'The server sent an event that this page cannot read. Reload the page.',
  nothingHere: 'Page not found',
  goHome: 'Go to the workspace',
  asked: (questions: number, first: string) => `${count(questions, 'open question')}: ${first}`,
  login: {
    title: 'Log in to Carrel',
    how: 'This browser is not logged in. Run this command on the machine that runs Carrel, or open the address that “carrel serve” printed at its start.',
    copy: 'Copy command',
    again: 'Check login',
  },
  connection: {
    since: (time: string) => `Reconnecting since ${time}.`,
    asOf: 'The page shows the state as of then.',
    nextTry: (seconds: number) => `next try in ${seconds} s`,
    tryNow: 'Retry now',
    behind: (events: number) => `${count(events, 'event')} behind`,
  },
  /** A data folder that was restored or copied, until a person decides which of the two goes on. */
  paused: {
    title: 'Paused: nothing runs here.',
    waiting: (...amounts: [prompts: number, runs: number, questions: number]) => `Waiting: ${waiting(...amounts)}.`,
    decide: 'Let this one go on…',
    question: 'Let this data folder go on?',
    begins: (...amounts: [prompts: number, runs: number, questions: number]) => `Goes on here: ${waiting(...amounts)}.`,
    danger: 'If both go on, work is done twice. Stop the other one for good:',
    orLook: 'To just look around, keep this one paused. Reading works everywhere.',
    stay: 'Keep paused',
    act: 'Let it go on',
    done: (replaced: string | null) =>
      replaced === null ? 'This data folder goes on.' : `This data folder goes on. Paused instead: ${replaced}.`,
  },
  rail: {
    title: 'Workspace',
    inbox: 'Inbox',
    board: 'Board',
    palette: 'Search or run a command',
    /** The beginning of the label, for the width of the sidebar. */
    paletteShort: 'Search or run',
    empty: 'Your Spaces and sessions appear here.',
    add: 'Add Space',
    showArchived: 'Show archived',
    hideArchived: 'Hide archived',
    settings: 'Settings',
  },
  phone: { title: 'Views', sessions: 'Sessions', transcript: 'Transcript', start: 'Start', inbox: 'Inbox' },
  toasts: { title: 'Notifications', dismiss: 'Dismiss' },
} as const
