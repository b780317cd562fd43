import type { AddCommand, CliCommand } from '../cli.ts'
import { ago, clean, short } from '../terminal.ts'
import { spaceFor } from '../whereabouts.ts'

export const addMachines: AddCommand = (program) => {
  program
    .command('machines')
    .summary('list the machines of this installation')
    .description(
      'Lists the machines of this installation. Each Space is on one machine, which alone runs its sessions.',
    )
    .addHelpText('after', '\nExamples:\n  $ carrel machines\n  $ carrel spaces adopt shop')
    .withCarrel(async ({ carrel, term }) => {
      const list = await carrel.call('machines.list', {})
      term.result(list, () => {
        const rows = list.machines.map(({ name, here, away, version }) => [
          here ? `${short(name, 60)} *` : short(name, 60),
          away === null ? 'ready' : `away since ${ago(away, term.now())} ago`,
          version,
        ])
        term.table(['MACHINE', 'STATE', 'VERSION'], rows, 'No machines.')
        term.note('* is the machine that answers.')
      })
    })
}

export function addAdopt(group: CliCommand): void {
  group
    .command('adopt')
    .description(
      'Make the machine that answers the machine of a Space, whose folder must be there. Without --yes, only list what will be missing.',
    )
    .argument('<space>', 'id, name or folder of the Space')
    .option('--yes', 'adopt without asking')
    .addHelpText('after', '\nExamples:\n  $ carrel spaces adopt shop\n  $ carrel spaces adopt spc_... --yes')
    .withCarrel(async (cli, [name], { yes }) => {
      const { carrel, term, workspace } = cli
      const { id } = await spaceFor(cli, name, { create: false })
      const done = await carrel.call('spaces.adopt', { workspace, id, confirm: Boolean(yes) })
      term.result(done, () => {
        if (done.missing.length > 0) term.line('Missing on this machine:')
        for (const line of done.missing) term.line(`  ${clean(line)}`)
        if (done.adopted) term.line(`${clean(done.space.name)} is on this machine now.`)
        else term.note('Nothing was changed. Use --yes to adopt the Space.')
      })
    })
}
