import { RunId } from '../../../model/ids.ts'
import { count } from '../arguments.ts'
import type { AddCommand } from '../cli.ts'
import { ago, short } from '../terminal.ts'
import { namesOf } from '../whereabouts.ts'

export const addRuns: AddCommand = (program, act) => {
  program
    .command('ps')
    .summary('list the runs that are under way')
    .description('Lists runs, newest first: those under way, or with --all also those that ended.')
    .option('--all', 'also those that ended')
    .option('--session <id>', 'only those of this session')
    .option('-n, --limit <n>', 'at most so many', count, 50)
    .addHelpText('after', '\nExamples:\n  $ carrel ps\n  $ carrel ps --all --limit 10 --json')
    .action(
      act((cli, _, { all, session, limit }) =>
        cli.withCarrel({ runs: false }, async (carrel) => {
          const { workspace, term } = cli
          const of = session === undefined ? {} : { session }
          const page = await carrel.call('runs.list', { workspace, limit, live: !all, ...of })
          const name = term.json ? String : await namesOf(carrel, workspace)
          term.result(page, () => {
            const rows = page.runs.map((run) => [
              run.id,
              run.outcome ?? run.state,
              run.agent,
              ago(run.startedAt ?? run.admittedAt, term.now()),
              run.session,
              short(name(run.session), 40),
            ])
            term.table(['RUN', 'STATE', 'AGENT', 'SINCE', 'SESSION', 'NAME'], rows, 'No run is under way.')
            if (page.cursor) term.note('There are more: say a larger --limit.')
          })
        }),
      ),
    )
  program
    .command('cancel')
    .summary('cancel a run')
    .description('Cancels a run: the one named, or the one that is on in the session named.')
    .argument('<session-or-run>', 'id of the run, or of its session')
    .addHelpText('after', '\nExamples:\n  $ carrel cancel run_01jc3q0f0g0h0j0k0m0n0p0q0r')
    .action(
      act((cli, [id]) =>
        cli.withCarrel({ runs: false }, async (carrel, way) => {
          const { workspace, term } = cli
          const run = RunId.safeParse(id)
          const session = run.success ? (await carrel.call('runs.get', { workspace, id: run.data })).session : id
          const of = run.success ? { run: run.data } : {}
          const done = await carrel.call('sessions.cancel', { workspace, id: session, ...of })
          term.result(done, () => term.line(`Cancelling ${run.success ? id : `the run of ${id}`}.`))
          if (way.how === 'embedded') term.note('No server is running: it takes effect when one does (`carrel serve`).')
        }),
      ),
    )
}
