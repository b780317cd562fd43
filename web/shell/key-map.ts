import { texts } from '../texts/texts.ts'
import { COMMAND_KEY } from '../ui/keys.ts'

const { names, where, what } = texts.keys

/** All shortcuts, as `?` lists them. Keys of one shortcut are pressed one after the other. */
export const KEY_MAP: readonly { readonly where: string; readonly keys: readonly (readonly [string, string])[] }[] = [
  {
    where: where.everywhere,
    keys: [
      [`${COMMAND_KEY} K`, what.palette],
      ['i', what.drawer],
      ['g i', what.inbox],
      ['g b', what.board],
      ['g h', what.history],
      ['g s', what.session],
      ['/', what.search],
      [`${COMMAND_KEY} F`, what.find],
      ['f', what.files],
      ['t', what.timeline],
      ['n', what.newSession],
      ['?', what.keys],
      [names.escape, what.close],
    ],
  },
  {
    where: where.diff,
    keys: [
      [names.arrows, what.lines],
      [names.enter, what.comment],
      [`${COMMAND_KEY} ${names.enter}`, what.keepComment],
    ],
  },
  {
    where: where.question,
    keys: [
      ['1-9', what.answer],
      ['j', what.next],
      ['k', what.previous],
    ],
  },
  {
    where: where.board,
    keys: [
      [names.arrows, what.move],
      ['x', what.mark],
      [names.shiftClick, what.markMany],
      [names.enter, what.open],
      [names.escape, what.unmark],
    ],
  },
  {
    where: where.composer,
    keys: [
      [names.enter, what.send],
      [names.shiftEnter, what.newLine],
      ['/', what.commands],
    ],
  },
]
