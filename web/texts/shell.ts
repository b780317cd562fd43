import { count } from '../ui/format.ts'

export const shell = {
  title: (questions: number, session: string | undefined) =>
    `${questions > 0 ? `(${questions}) ` : ''}${session ? `${session} - ` : ''}Carrel`,
  skip: 'Skip to the session',
  loading: 'Loading the workspace ...',
  broken: {
    title: 'Carrel cannot show this workspace.',
    next: 'Look whether the server runs (carrel serve), then try again.',
  },
  /** A line of the stream. */
  unreadable: 'The server sent a line that this page cannot read. Load the page again.',
  nothingHere: 'There is nothing at this address.',
  goHome: 'Go to the workspace',
  asked: (questions: number, first: string) => `${count(questions, 'open question')}: ${first}`,
  login: {
    title: 'Log in to Carrel',
    how: 'This browser is not logged in. On the machine where Carrel runs, use this command, or open the address that “carrel serve” printed when it started.',
    copy: 'Copy the command',
    again: 'I have logged in: try again',
  },
  connection: {
    since: (time: string) => `Reconnecting since ${time}.`,
    asOf: 'What you see is as of then.',
    nextTry: (seconds: number) => `next try in ${seconds} s`,
    tryNow: 'Try now',
    behind: (events: number) => `${count(events, 'event')} behind`,
  },
  rail: {
    title: 'Workspace',
    inbox: 'Inbox',
    board: 'Board',
    doOrFind: 'Do or find',
    empty: 'Your Spaces and sessions will be listed here.',
    add: 'Add a Space',
    showArchived: 'Show archived',
    hideArchived: 'Hide archived',
    settings: 'Settings',
  },
  phone: { title: 'Views', sessions: 'Sessions', transcript: 'Transcript', start: 'Start', inbox: 'Inbox' },
  toasts: { title: 'Messages', putAway: 'Put away' },
} as const
