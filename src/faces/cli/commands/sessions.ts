import { SESSION_WORDS } from '../../../model/state-words.ts'
import { count, given } from '../arguments.ts'
import type { AddCommand, CliCommand } from '../cli.ts'
import { ago, short } from '../terminal.ts'
import { namesOf, newSession, projectFor, spaceFor } from '../whereabouts.ts'
import { addTreeVerbs } from './tree.ts'

export const addSessions: AddCommand = (program) => {
  const group = program
    .command('sessions')
    .summary('list, create, rename, archive, fork, close, rebuild, delete sessions')
    .description('Sessions: conversations with an agent, each with its own log.')
  addList(group)
  addCreateAndFork(group)
  addCloseAndRebuild(group)
  addTreeVerbs(group, { plural: 'sessions', word: 'session', takes: 'Deletes its log; files stay.' })
}

function addList(group: CliCommand): void {
  group
    .command('list')
    .description('List sessions, last changed first.')
    .option('-s, --space <space>', 'only of this Space: id, name or folder')
    .option('-p, --project <project>', 'only of this project: id, or name with --space')
    .option('--state <state>', 'only in this state: idle, queued, running, waiting, failed, lost or closed')
    .option('--text <words>', 'only with these words in the name')
    .option('--archived', 'include archived sessions')
    .option('-n, --limit <n>', 'maximum number of sessions', count, 50)
    .addHelpText(
      'after',
      '\nExamples:\n  $ carrel sessions list --space . --limit 5\n  $ carrel sessions list --state waiting --json',
    )
    .withCarrel(async (cli, _, { space, project, state, text, archived, limit }) => {
      const { carrel, workspace, term } = cli
      const inSpace = space === undefined ? undefined : (await spaceFor(cli, space, { create: false })).id
      const inProject = project === undefined ? undefined : (await projectFor(cli, { space, project })).id
      const only = given({ space: inSpace, project: inProject, state, text })
      const page = await carrel.call('sessions.list', { workspace, limit, archived: Boolean(archived), ...only })
      const name = term.json ? String : await namesOf(cli)
      term.result(page, () => {
        const rows = page.sessions.map((row) => [
          row.id,
          row.background ? `${SESSION_WORDS[row.state]} (background)` : SESSION_WORDS[row.state],
          row.agent,
          `${ago(row.updatedAt, term.now())} ago`,
          short(name(row.space), 24),
          short(row.name, 48),
        ])
        term.table(['SESSION', 'STATE', 'AGENT', 'CHANGED', 'SPACE', 'NAME'], rows, 'No matching sessions.')
        if (page.cursor) term.note('More sessions exist. Use a larger --limit.')
      })
    })
}

function addCreateAndFork(group: CliCommand): void {
  group
    .command('create')
    .description('Create a session without a prompt.')
    .option('-s, --space <space>', 'id, name or folder of the Space (default: the current folder)')
    .option('-p, --project <project>', 'id or name of the project in the Space')
    .option('-a, --agent <id>', 'agent of the session')
    .option('--name <name>', 'name of the session')
    .withCarrel(async (cli, _, options) => {
      const row = await newSession(cli, options)
      cli.term.result(row, () => cli.term.line(row.id))
    })
  group
    .command('fork')
    .description('Create a session with a copy of the log of another session. Files are not touched.')
    .argument('<id>', 'id of the session')
    .option('--seq <n>', 'last event to copy (default: all)', count)
    .option('--name <name>', 'name of the new session')
    .withCarrel(async (cli, [id], { seq, name }) => {
      const { carrel, workspace } = cli
      const upTo = seq ?? (await carrel.call('sessions.get', { workspace, id })).head
      const row = await carrel.call('sessions.fork', { workspace, id, seq: upTo, ...given({ name }) })
      cli.term.result(row, () => cli.term.line(row.id))
    })
}

function addCloseAndRebuild(group: CliCommand): void {
  group
    .command('close')
    .description('End a session: cancels its run and releases its agents. The log stays readable.')
    .argument('<id>', 'id of the session')
    .withCarrel(async (cli, [id]) => {
      const done = await cli.carrel.call('sessions.close', { workspace: cli.workspace, id })
      cli.term.result(done, () => cli.term.line(`Ending ${id}.`))
    })
  group
    .command('rebuild')
    .description('Rebuild the stored items of a session from its log.')
    .argument('<id>', 'id of the session')
    .withCarrel(async (cli, [id]) => {
      const done = await cli.carrel.call('sessions.rebuild', { workspace: cli.workspace, id })
      cli.term.result(done, () => cli.term.line(`Rebuilt ${done.items} items from ${done.seq} events.`))
    })
}
