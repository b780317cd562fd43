import { COMMAND_KEY } from '../ui/keys.ts'

/** Every shortcut of the page, as `?` shows them. Keys of one shortcut are pressed one after the other. */
export const KEY_MAP: readonly { readonly where: string; readonly keys: readonly (readonly [string, string])[] }[] = [
  {
    where: 'Everywhere',
    keys: [
      [`${COMMAND_KEY} K`, 'Do or find anything'],
      ['g i', 'Go to the inbox'],
      ['g b', 'Go to the board'],
      ['g s', 'Go back to the session'],
      ['/', 'Search what was said'],
      [`${COMMAND_KEY} F`, 'Find in this session'],
      ['n', 'New session in this project'],
      ['?', 'This list'],
      ['Esc', 'Close what is on top'],
    ],
  },
  {
    where: 'Where a question is open',
    keys: [
      ['1-9', 'Choose that answer'],
      ['j', 'Next question (inbox)'],
      ['k', 'Previous question (inbox)'],
    ],
  },
  {
    where: 'On the board',
    keys: [
      ['Arrows', 'Move from card to card'],
      ['x', 'Mark the card'],
      ['Shift click', 'Mark all from the last to this one'],
      ['Enter', 'Open the session'],
      ['Esc', 'Unmark all'],
    ],
  },
  {
    where: 'In the composer',
    keys: [
      ['Enter', 'Send'],
      ['Shift Enter', 'New line'],
      ['/', 'Commands of the agent'],
    ],
  },
]
