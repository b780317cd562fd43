import { given } from '../arguments.ts'
import type { AddCommand, Cli, CliCommand, OpenCli } from '../cli.ts'
import { readHidden } from '../hidden.ts'
import { badInput } from '../problem.ts'
import { ago, short } from '../terminal.ts'
import { namesOf, type ScopeOptions, scopeFor } from '../whereabouts.ts'

export const addSecrets: AddCommand = (program) => {
  const secrets = program
    .command('secrets')
    .summary('secret environment variables of runs')
    .description(
      'Secrets: environment variables of runs whose values are masked in all stored and shown texts. No command shows a value.',
    )
  secrets.command('list').description('List the secrets by name, with scopes and agents.').withCarrel(list)
  withScope(secrets.command('put'))
    .description('Create or replace a secret. You type the value without echo, or pipe it.')
    .option('-a, --agents <ids>', 'only for these agents, comma-separated')
    .addHelpText(
      'after',
      `
The scope is the workspace, a Space or a project. The most specific scope wins.

Examples:
  $ carrel secrets put GITHUB_TOKEN
  $ carrel secrets put DEPLOY_KEY --space . < deploy.key
  $ pass show npm | carrel secrets put NPM_TOKEN --agents codex,claude-code`,
    )
    .handle((cli, [name], options) => put(cli, name, options))
  withScope(secrets.command('remove'))
    .description('Remove a secret. Runs started earlier keep its value.')
    .withCarrel(async (cli, [name], options) => {
      const where = await scopeFor(cli, options)
      const removed = await cli.carrel.call('secrets.remove', { workspace: cli.workspace, name, ...where })
      cli.term.result(removed, () => cli.term.line(`Removed ${name}.`))
    })
  secrets
    .command('rotate')
    .description(
      'Encrypt all secrets of this installation with a new key. Repeat an interrupted rotation to continue it.',
    )
    .withCarrel(async (cli) => {
      const done = await cli.carrel.call('secrets.rotate', {})
      cli.term.result(done, () => {
        cli.term.line(`Encrypted ${done.sealed} secrets with the key ${done.key}.`)
        if (done.unreadable > 0)
          cli.term.note(
            `Secrets without their old key, left unchanged: ${done.unreadable}. See \`carrel secrets list\`.`,
          )
      })
    })
}

const withScope = (command: CliCommand): CliCommand =>
  command
    .argument('<name>', 'name of the variable: capital letters, digits and _')
    .option('-s, --space <space>', 'scope: this Space, by id, name or folder')
    .option('-p, --project <project>', 'scope: this project, by id, or by name with --space')

async function put(cli: Cli, name: string, options: ScopeOptions & { agents?: string }): Promise<void> {
  if (name.includes('='))
    throw badInput('Give only the name: other users can read arguments. The command asks for the value.')
  const give = options.agents?.split(',').map((agent) => agent.trim())
  const value = await readHidden(cli.world, `Value of ${name}: `)
  await cli.withCarrel({ runs: false }, async (open) => {
    const where = { workspace: cli.workspace, ...(await scopeFor(open, options)) }
    const stored = await open.carrel.call('secrets.put', { ...where, name, value, ...given({ give }) })
    cli.term.result(stored, () => cli.term.line(`Stored ${name}. Applies to new runs.`))
  })
}

async function list(cli: OpenCli): Promise<void> {
  const { carrel, workspace, term } = cli
  const found = await carrel.call('secrets.list', { workspace })
  const named = term.json ? String : await namesOf(cli)
  term.result(found, () => {
    const rows = found.secrets.map(({ name, space, project, give, updatedAt, readable }) => [
      name,
      short(project !== null ? `project ${named(project)}` : space !== null ? `Space ${named(space)}` : workspace, 40),
      give?.join(', ') ?? 'all agents',
      `${ago(updatedAt, term.now())} ago`,
      readable ? '' : 'encryption key missing',
    ])
    term.table(['NAME', 'SCOPE', 'AGENTS', 'CHANGED', ''], rows, 'No secrets.')
  })
}
