import type { AddCommand } from '../cli.ts'
import { clean } from '../terminal.ts'
import { projectFor } from '../whereabouts.ts'

export const addProjectPlaces: AddCommand = (program, act) => {
  const family = program
    .command('copies')
    .summary('where projects keep their files apart')
    .description('Places of projects: worktrees and overlays that `carrel projects create --place` makes.')
  family
    .command('drivers')
    .description('List the ways in which this machine can keep places apart, best first.')
    .action(
      act((cli) =>
        cli.withCarrel({ runs: false }, async (carrel) => {
          const found = await carrel.call('places.drivers', {})
          cli.term.result(found, () => {
            const rows = found.drivers.map(({ name, usable, detail }) => [name, usable ? 'yes' : 'no', detail])
            cli.term.table(['DRIVER', 'USABLE', ''], rows, 'There is no way on this machine to keep places apart.')
          })
        }),
      ),
    )
  family
    .command('preview-removal')
    .description('Say what would be lost if the place of a project went now.')
    .argument('<project>', 'id or name of the project')
    .action(
      act((cli, [project]) =>
        cli.withCarrel({ runs: false }, async (carrel, way) => {
          const { id } = await projectFor(cli, way, { project })
          const risks = await carrel.call('places.previewRemoval', { workspace: cli.workspace, project: id })
          cli.term.result(risks, () => {
            const { term } = cli
            term.line(
              `${risks.kind} at ${risks.path} (${risks.driver}${risks.branch ? `, branch ${risks.branch}` : ''})`,
            )
            if (risks.missing) term.line('It is not there any more.')
            for (const path of risks.changed) term.line(`  ${clean(path)} is nowhere else`)
            if (risks.unpushed > 0) term.line(`  ${risks.unpushed} commits are in no other branch and on no remote`)
            if (risks.underway) term.line(`  ${risks.underway} is half done`)
          })
        }),
      ),
    )
  family
    .command('remove')
    .description('Take the place of a project away; its history stays. Without --yes it only says what would be lost.')
    .argument('<project>', 'id or name of the project')
    .option('--yes', 'really take it away')
    .addHelpText(
      'after',
      '\nExamples:\n  $ carrel copies remove "Try the new parser"\n  $ carrel copies remove prj_... --yes',
    )
    .action(
      act((cli, [project], { yes }) =>
        cli.withCarrel({ runs: false }, async (carrel, way) => {
          const { term, workspace } = cli
          const { id } = await projectFor(cli, way, { project })
          const done = await carrel.call('places.remove', { workspace, project: id, confirm: Boolean(yes) })
          term.result(done, () => {
            for (const line of done.lost) term.line(`  ${clean(line)}`)
            for (const line of done.kept) term.line(`  stays: ${clean(line)}`)
            if (done.removed) term.line(`Taken away. Its files come back with: ${done.restore}`)
            else term.note('Nothing was taken away. Say --yes to do it; all of this goes into the history first.')
          })
        }),
      ),
    )
  family
    .command('export')
    .description('Print what a project did in its own place as a patch, or make a branch of it.')
    .argument('<project>', 'id or name of the project')
    .option('--branch <name>', 'make this branch in the repository of the Space instead')
    .addHelpText(
      'after',
      '\nExamples:\n  $ carrel copies export prj_... > work.patch\n  $ carrel copies export prj_... --branch try-parser',
    )
    .action(
      act((cli, [project], { branch }) =>
        cli.withCarrel({ runs: false }, async (carrel, way) => {
          const { term, workspace } = cli
          const { id } = await projectFor(cli, way, { project })
          const as = branch === undefined ? { as: 'patch' as const } : { as: 'branch' as const, branch }
          const out = await carrel.call('places.export', { workspace, project: id, ...as })
          if (term.json) return term.data(out)
          if (out.patch !== null) await term.write(out.patch)
          else term.line(`${out.branch} ${out.commit}`)
        }),
      ),
    )
}
