import { given } from '../arguments.ts'
import type { AddCommand, CliCommand } from '../cli.ts'

export const addRules: AddCommand = (program) => {
  const group = program
    .command('rules')
    .summary('standing answers to permission questions')
    .description(
      'Permission rules: standing answers to permission questions. Rules apply in order; the first match decides. Without a match, you are asked.',
    )
  group
    .command('list')
    .description('List the rules in order.')
    .withCarrel(async ({ carrel, workspace, term }) => {
      const found = await carrel.call('rules.list', { workspace })
      term.result(found, () => {
        const rows = found.rules.map(({ id, action, agent, toolKind, path, command, space }) => [
          id,
          action,
          ...[agent, toolKind, path, command, space].map((part) => part ?? '*'),
        ])
        const head = ['RULE', 'ACTION', 'AGENT', 'KIND', 'PATH', 'COMMAND', 'SPACE']
        term.table(head, rows, 'No rules: you are asked about everything.')
      })
    })
  addAdd(group)
  addMoveAndRemove(group)
}

function addAdd(group: CliCommand): void {
  group
    .command('add')
    .description('Add a rule at the end or before another rule. Omitted options match everything.')
    .argument('<action>', 'allow, ask or deny')
    .option('-a, --agent <id>', 'only for this agent')
    .option('--kind <kind>', 'only for this kind of tool: read, edit, delete, move, search, execute, fetch')
    .option('--path <glob>', 'only for these paths, relative to the Space; src/** matches everything below src')
    .option('--command <words>', 'only for this whole command; * matches any characters')
    .option('-s, --space <id>', 'only in this Space')
    .option('--before <rule>', 'insert before this rule')
    .addHelpText(
      'after',
      `
Examples:
  $ carrel rules add allow --kind read
  $ carrel rules add deny --path ".env*"
  $ carrel rules add allow --kind execute --command "npm test*"`,
    )
    .withCarrel(async (cli, [action], { agent, kind, path, command, space, before }) => {
      const { carrel, workspace, term } = cli
      const fields = given({ agent, toolKind: kind, path, command, space, before })
      const rule = await carrel.call('rules.add', { workspace, action, ...fields })
      term.result(rule, () => term.line(`Added ${rule.id}.`))
    })
}

function addMoveAndRemove(group: CliCommand): void {
  group
    .command('move')
    .description('Move a rule before another rule, or to the end.')
    .argument('<rule>', 'id of the rule')
    .option('--before <rule>', 'move before this rule (default: to the end)')
    .withCarrel(async (cli, [id], { before }) => {
      const rule = await cli.carrel.call('rules.move', { workspace: cli.workspace, id, ...given({ before }) })
      cli.term.result(rule, () => cli.term.line(`Moved ${id}.`))
    })
  group
    .command('remove')
    .description('Remove a rule.')
    .argument('<rule>', 'id of the rule')
    .withCarrel(async (cli, [id]) => {
      const removed = await cli.carrel.call('rules.remove', { workspace: cli.workspace, id })
      cli.term.result(removed, () => cli.term.line(`Removed ${id}.`))
    })
}
