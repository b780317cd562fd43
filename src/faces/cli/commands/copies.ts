import type { AddCommand, CliCommand } from '../cli.ts'
import { clean } from '../terminal.ts'
import { projectFor } from '../whereabouts.ts'

export const addProjectPlaces: AddCommand = (program) => {
  const group = program
    .command('copies')
    .summary('working copies of projects')
    .description('Working copies of projects: worktrees and overlays from `carrel projects create --place`.')
  group
    .command('drivers')
    .description('List the isolation drivers of this machine, best first.')
    .withCarrel(async (cli) => {
      const found = await cli.carrel.call('places.drivers', {})
      cli.term.result(found, () => {
        const rows = found.drivers.map(({ name, usable, detail }) => [name, usable ? 'yes' : 'no', detail])
        cli.term.table(['DRIVER', 'USABLE', ''], rows, 'This machine has no isolation driver.')
      })
    })
  group
    .command('preview-removal')
    .description('Preview the removal of a working copy: the work that would be lost now.')
    .argument('<project>', 'id or name of the project')
    .withCarrel(async (cli, [project]) => {
      const { carrel, term, workspace } = cli
      const { id } = await projectFor(cli, { project })
      const risks = await carrel.call('places.previewRemoval', { workspace, project: id })
      const { kind, path, driver, branch, missing, changed, unpushed, underway } = risks
      term.result(risks, () => {
        term.line(`${kind} at ${path} (${driver}${branch ? `, branch ${branch}` : ''})`)
        if (missing) term.line('The working copy no longer exists.')
        for (const each of changed) term.line(`  ${clean(each)} exists only here`)
        if (unpushed > 0) term.line(`  commits on no other branch and no remote: ${unpushed}`)
        if (underway) term.line(`  unfinished: ${underway}`)
      })
    })
  addRemove(group)
  addExport(group)
}

function addRemove(group: CliCommand): void {
  group
    .command('remove')
    .description('Remove a working copy; its history stays. Without --yes, only preview the removal.')
    .argument('<project>', 'id or name of the project')
    .option('--yes', 'remove without asking')
    .addHelpText(
      'after',
      '\nExamples:\n  $ carrel copies remove "Try the new parser"\n  $ carrel copies remove prj_... --yes',
    )
    .withCarrel(async (cli, [project], { yes }) => {
      const { carrel, term, workspace } = cli
      const { id } = await projectFor(cli, { project })
      const done = await carrel.call('places.remove', { workspace, project: id, confirm: Boolean(yes) })
      term.result(done, () => {
        for (const line of done.lost) term.line(`  ${clean(line)}`)
        for (const line of done.kept) term.line(`  stays: ${clean(line)}`)
        if (done.removed) term.line(`Removed. Restore its files with: ${done.restore}`)
        else term.note('Nothing was removed. Use --yes to remove it; the history first saves all of this.')
      })
    })
}

function addExport(group: CliCommand): void {
  group
    .command('export')
    .description('Print the changes of a working copy as a patch, or create a branch with them.')
    .argument('<project>', 'id or name of the project')
    .option('--branch <name>', "create this branch in the Space's repository instead")
    .addHelpText(
      'after',
      '\nExamples:\n  $ carrel copies export prj_... > work.patch\n  $ carrel copies export prj_... --branch try-parser',
    )
    .withCarrel(async (cli, [project], { branch }) => {
      const { carrel, term, workspace } = cli
      const { id } = await projectFor(cli, { project })
      const as = branch === undefined ? { as: 'patch' as const } : { as: 'branch' as const, branch }
      const out = await carrel.call('places.export', { workspace, project: id, ...as })
      if (term.json) return term.data(out)
      if (out.patch !== null) await term.write(out.patch)
      else term.line(`${out.branch} ${out.commit}`)
    })
}
