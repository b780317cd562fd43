import { count, given } from '../arguments.ts'
import type { AddCommand } from '../cli.ts'
import { ago, short } from '../terminal.ts'
import { namesOf, newSession, projectFor, spaceFor } from '../whereabouts.ts'
import { addTreeVerbs } from './tree.ts'

export const addSessions: AddCommand = (program, act) => {
  const family = program
    .command('sessions')
    .summary('list, create, rename, archive, fork, close, rebuild, delete sessions')
    .description('Sessions: conversations with an agent, each with a log of its own.')
  family
    .command('list')
    .description('List sessions, the one that changed last first.')
    .option('-s, --space <space>', 'only those of this Space: id, name or folder')
    .option('-p, --project <project>', 'only those of this project: id, or name with --space')
    .option('--state <state>', 'only those that are idle, queued, running, waiting, failed, lost or closed')
    .option('--text <words>', 'only those with these words in their name')
    .option('--archived', 'also archived ones')
    .option('-n, --limit <n>', 'at most so many', count, 50)
    .addHelpText(
      'after',
      '\nExamples:\n  $ carrel sessions list --space . --limit 5\n  $ carrel sessions list --state waiting --json',
    )
    .action(
      act((cli, _, { space, project, state, text, archived, limit }) =>
        cli.withCarrel({ runs: false }, async (carrel, way) => {
          const { workspace, term } = cli
          const inSpace = space === undefined ? undefined : (await spaceFor(cli, way, space, { create: false })).id
          const inProject = project === undefined ? undefined : (await projectFor(cli, way, { space, project })).id
          const only = given({ space: inSpace, project: inProject, state, text })
          const page = await carrel.call('sessions.list', { workspace, limit, archived: Boolean(archived), ...only })
          const name = term.json ? String : await namesOf(carrel, workspace)
          term.result(page, () => {
            const rows = page.sessions.map((row) => [
              row.id,
              row.state,
              row.agent,
              `${ago(row.updatedAt, term.now())} ago`,
              short(name(row.space), 24),
              short(row.name, 48),
            ])
            term.table(['SESSION', 'STATE', 'AGENT', 'CHANGED', 'SPACE', 'NAME'], rows, 'There are no such sessions.')
            if (page.cursor) term.note('There are more: say a larger --limit.')
          })
        }),
      ),
    )
  family
    .command('create')
    .description('Open a session without asking anything yet.')
    .option('-s, --space <space>', 'id, name or folder of the Space (default: the current folder)')
    .option('-p, --project <project>', 'id or name of the project in the Space')
    .option('-a, --agent <id>', 'the agent it is for')
    .option('--name <name>', 'its name')
    .action(
      act((cli, _, options) =>
        cli.withCarrel({ runs: false }, async (_carrel, way) => {
          const row = await newSession(cli, way, options)
          cli.term.result(row, () => cli.term.line(row.id))
        }),
      ),
    )
  family
    .command('fork')
    .description('Make a session that shares this one up to an event and then goes its own way. Files are not touched.')
    .argument('<id>', 'id of the session')
    .option('--seq <n>', 'the last event to take along (default: all)', count)
    .option('--name <name>', 'its name')
    .action(
      act((cli, [id], { seq, name }) =>
        cli.withCarrel({ runs: false }, async (carrel) => {
          const { workspace } = cli
          const upTo = seq ?? (await carrel.call('sessions.get', { workspace, id })).head
          const row = await carrel.call('sessions.fork', { workspace, id, seq: upTo, ...given({ name }) })
          cli.term.result(row, () => cli.term.line(row.id))
        }),
      ),
    )
  family
    .command('close')
    .description('End a session: its run is cancelled, its agents are let go. The log stays readable.')
    .argument('<id>', 'id of the session')
    .action(
      act((cli, [id]) =>
        cli.withCarrel({ runs: false }, async (carrel) => {
          const done = await carrel.call('sessions.close', { workspace: cli.workspace, id })
          cli.term.result(done, () => cli.term.line(`Closing ${id}.`))
        }),
      ),
    )
  family
    .command('rebuild')
    .description('Make the stored items of a session again from its log, which is the truth.')
    .argument('<id>', 'id of the session')
    .action(
      act((cli, [id]) =>
        cli.withCarrel({ runs: false }, async (carrel) => {
          const done = await carrel.call('sessions.rebuild', { workspace: cli.workspace, id })
          cli.term.result(done, () => cli.term.line(`Made ${done.items} items again from ${done.seq} events.`))
        }),
      ),
    )
  addTreeVerbs(family, act, { plural: 'sessions', word: 'session', takes: 'Its log goes; files stay.' })
}
