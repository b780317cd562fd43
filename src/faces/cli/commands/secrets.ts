import type { Command } from 'commander'
import { given } from '../arguments.ts'
import type { AddCommand, Cli } from '../cli.ts'
import { readHidden } from '../hidden.ts'
import { badInput } from '../problem.ts'
import { ago, short } from '../terminal.ts'
import { namesOf, type ScopeWanted, scopeFor } from '../whereabouts.ts'

export const addSecrets: AddCommand = (program, act) => {
  const secrets = program
    .command('secrets')
    .summary('values that runs get and nobody sees')
    .description(
      'Secrets: values that runs get as variables and that are hidden in everything that is stored or shown. No command shows one.',
    )
  secrets
    .command('list')
    .description('List the secrets by name, with where they hold and who is given them.')
    .action(act((cli) => list(cli)))
  placed(secrets.command('put'))
    .description('Store a secret, or another value for it. The value is typed without an echo, or read from stdin.')
    .option('-a, --agents <ids>', 'only for these agents, with commas in between')
    .addHelpText(
      'after',
      `
It holds in the whole workspace, or only in a Space or project; of one name a run gets the nearest.

Examples:
  $ carrel secrets put GITHUB_TOKEN
  $ carrel secrets put DEPLOY_KEY --space . < deploy.key
  $ pass show npm | carrel secrets put NPM_TOKEN --agents codex,claude-code`,
    )
    .action(act((cli, [name], options) => put(cli, name, options)))
  placed(secrets.command('remove'))
    .description('Remove a secret. Runs that began before keep what they were given.')
    .action(
      act((cli, [name], options) =>
        cli.withCarrel({ runs: false }, async (carrel, way) => {
          const where = await scopeFor(cli, way, options)
          const removed = await carrel.call('secrets.remove', { workspace: cli.workspace, name, ...where })
          cli.term.result(removed, () => cli.term.line(`Removed ${name}.`))
        }),
      ),
    )
  secrets
    .command('rotate')
    .description('Seal all secrets of this installation under a new key. Cut short, it goes on when asked again.')
    .action(
      act((cli) =>
        cli.withCarrel({ runs: false }, async (carrel) => {
          const done = await carrel.call('secrets.rotate', {})
          cli.term.result(done, () => {
            cli.term.line(`Sealed ${done.sealed} anew, under the key ${done.key}.`)
            if (done.unreadable > 0)
              cli.term.note(
                `${done.unreadable} stay as they are, because their key is not here: \`carrel secrets list\`.`,
              )
          })
        }),
      ),
    )
}

const placed = (command: Command): Command =>
  command
    .argument('<name>', 'name of the variable: capital letters, digits and _')
    .option('-s, --space <space>', 'only in this Space: id, name or folder')
    .option('-p, --project <project>', 'only in this project: id, or name with --space')

async function put(cli: Cli, name: string, options: ScopeWanted & { agents?: string }): Promise<void> {
  if (name.includes('='))
    throw badInput('Only the name is an argument, since others on this machine can read those. The value is asked for.')
  const give = options.agents?.split(',').map((agent) => agent.trim())
  const value = await readHidden(cli.world, `Value of ${name}: `)
  await cli.withCarrel({ runs: false }, async (carrel, way) => {
    const where = await scopeFor(cli, way, options)
    const stored = await carrel.call('secrets.put', {
      workspace: cli.workspace,
      name,
      value,
      ...where,
      ...given({ give }),
    })
    cli.term.result(stored, () => cli.term.line(`Stored ${name}. Runs that begin from now on get it.`))
  })
}

async function list(cli: Cli): Promise<void> {
  const { workspace, term } = cli
  await cli.withCarrel({ runs: false }, async (carrel) => {
    const found = await carrel.call('secrets.list', { workspace })
    const named = term.json ? String : await namesOf(carrel, workspace)
    term.result(found, () => {
      const rows = found.secrets.map(({ name, space, project, give, updatedAt, readable }) => [
        name,
        short(
          project !== null ? `project ${named(project)}` : space !== null ? `Space ${named(space)}` : workspace,
          40,
        ),
        give?.join(', ') ?? 'all agents',
        `${ago(updatedAt, term.now())} ago`,
        readable ? '' : 'its key is not here',
      ])
      term.table(['NAME', 'HOLDS IN', 'GIVEN TO', 'CHANGED', ''], rows, 'There are no secrets.')
    })
  })
}
