import { RunId } from '../../../model/ids.ts'
import { runWord } from '../../../model/state-words.ts'
import { count } from '../arguments.ts'
import type { AddCommand } from '../cli.ts'
import { notePaused } from '../paused.ts'
import { ago, short } from '../terminal.ts'
import { allSessions, namesOf, openQuestions } from '../whereabouts.ts'

export const addRuns: AddCommand = (program) => {
  program
    .command('ps')
    .summary('list the active runs')
    .description(
      'Lists the active runs, newest first; with --all, ended runs as well. Names background work after runs.',
    )
    .option('--all', 'include ended runs')
    .option('--session <id>', 'only runs of this session')
    .option('-n, --limit <n>', 'maximum number of runs', count, 50)
    .addHelpText('after', '\nExamples:\n  $ carrel ps\n  $ carrel ps --all --limit 10 --json')
    .withCarrel(async (cli, _, { all, session, limit }) => {
      const { carrel, workspace, term } = cli
      const of = session === undefined ? {} : { session }
      const page = await carrel.call('runs.list', { workspace, limit, live: !all, ...of })
      const { paused } = await carrel.call('server.status', {})
      const name = term.json ? String : await namesOf(cli)
      const asking = new Set((await openQuestions(cli)).map(({ run }) => run))
      const sessions = await allSessions(cli)
      term.result(page, () => {
        const rows = page.runs.map((run) => [
          run.id,
          runWord(run, asking.has(run.id)),
          run.agent,
          ago(run.startedAt ?? run.admittedAt, term.now()),
          run.session,
          short(name(run.session), 40),
        ])
        term.table(['RUN', 'STATE', 'AGENT', 'SINCE', 'SESSION', 'NAME'], rows, 'No active runs.')
        if (page.cursor) term.note('More runs exist. Use a larger --limit.')
        notePaused(term, paused)
        for (const { id, background = [] } of sessions)
          if (background.length > 0) term.line(`In the background of ${id}: ${short(background.join(', '), 160)}`)
      })
    })
  program
    .command('cancel')
    .summary('cancel a run')
    .description('Cancels a run, or the active run of a session.')
    .argument('<session-or-run>', 'id of the run or of its session')
    .addHelpText('after', '\nExamples:\n  $ carrel cancel run_01jc3q0f0g0h0j0k0m0n0p0q0r')
    .withCarrel(async (cli, [id]) => {
      const { carrel, workspace, term } = cli
      const run = RunId.safeParse(id)
      const session = run.success ? (await carrel.call('runs.get', { workspace, id: run.data })).session : id
      const of = run.success ? { run: run.data } : {}
      const done = await carrel.call('sessions.cancel', { workspace, id: session, ...of })
      term.result(done, () => term.line(`Cancelling ${run.success ? id : `the run of ${id}`}.`))
      if (cli.how === 'embedded') term.note('No server is running. The next server cancels the run (`carrel serve`).')
    })
}
