import type { AddCommand } from '../cli.ts'
import { waitingLine } from '../paused.ts'

export const addUnpause: AddCommand = (program) => {
  program
    .command('unpause')
    .summary('let a restored or copied data folder go on')
    .description(
      'Lets a paused data folder go on instead of the one that it was restored or copied from. Without --yes, only preview. The other one must not run on, or work is done twice.',
    )
    .option('--yes', 'let it go on')
    .addHelpText('after', '\nExamples:\n  $ carrel unpause\n  $ carrel unpause --yes --data /srv/carrel')
    .withCarrel(async (cli, _, { yes }) => {
      const { carrel, term } = cli
      const done = await carrel.call('server.unpause', { confirm: Boolean(yes) })
      const { paused, goesOn, replaced } = done
      term.result(done, () => {
        if (paused === null) return term.line('This data folder is not paused.')
        term.line(paused.text)
        term.line(waitingLine(paused.waiting, goesOn))
        if (replaced !== null) term.line(`Paused instead: ${replaced}.`)
        else term.note('Stop the other one for good: if both go on, work is done twice.')
        if (!goesOn) term.note('Nothing was changed. Use --yes to let this data folder go on.')
        else if (cli.how === 'embedded')
          term.note('No server is running. The next server begins the work (`carrel serve`).')
      })
    })
}
