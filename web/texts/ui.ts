import { SESSION_WORDS } from '../../src/model/state-words.ts'
import { personName } from './words/people.ts'

/** Texts that several features share. */
export const ui = {
  states: SESSION_WORDS,
  person: personName,
  loading: 'Loading…',
  tryAgain: 'Try again',
  close: 'Close',
  cancel: 'Cancel',
  save: 'Save',
  send: 'Send',
  done: 'Done',
  noReason: 'The server gave no reason.',
  /** In place of the name of a session that is not loaded. */
  session: 'Session',
  code: { plain: 'text', copy: 'Copy code' },
  copied: 'Copied',
  picture: 'picture',
} as const
