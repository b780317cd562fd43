import { given } from '../arguments.ts'
import type { AddCommand } from '../cli.ts'

export const addRules: AddCommand = (program, act) => {
  const rules = program
    .command('rules')
    .summary('standing answers to permission questions')
    .description(
      'Standing answers to permission questions. They are tried in order, the first that matches decides, none means that you are asked.',
    )
  rules
    .command('list')
    .description('List the rules, in the order they are tried.')
    .action(
      act((cli) =>
        cli.withCarrel({ runs: false }, async (carrel) => {
          const { workspace, term } = cli
          const list = await carrel.call('rules.list', { workspace })
          term.result(list, () => {
            const rows = list.rules.map(({ id, action, agent, toolKind, path, command, space }) => [
              id,
              action,
              ...[agent, toolKind, path, command, space].map((part) => part ?? '*'),
            ])
            term.table(
              ['RULE', 'ACTION', 'AGENT', 'KIND', 'PATH', 'COMMAND', 'SPACE'],
              rows,
              'There are no rules: you are asked.',
            )
          })
        }),
      ),
    )
  rules
    .command('add')
    .description('Add a rule at the end, or before another. What is left out matches everything.')
    .argument('<action>', 'allow, ask or deny')
    .option('-a, --agent <id>', 'only for this agent')
    .option('--kind <kind>', 'only for this kind of tool: read, edit, delete, move, search, execute, fetch ...')
    .option('--path <glob>', 'only for these paths, relative to the Space; src/** means all below src')
    .option('--command <words>', 'only for this whole command; * stands for any run of characters')
    .option('-s, --space <id>', 'only in this Space')
    .option('--before <rule>', 'put it before this rule')
    .addHelpText(
      'after',
      `
Examples:
  $ carrel rules add allow --kind read
  $ carrel rules add deny --path ".env*"
  $ carrel rules add allow --kind execute --command "npm test*"`,
    )
    .action(
      act((cli, [action], { agent, kind, path, command, space, before }) =>
        cli.withCarrel({ runs: false }, async (carrel) => {
          const { workspace, term } = cli
          const fields = given({ agent, toolKind: kind, path, command, space, before })
          const rule = await carrel.call('rules.add', { workspace, action, ...fields })
          term.result(rule, () => term.line(`Added ${rule.id}.`))
        }),
      ),
    )
  rules
    .command('move')
    .description('Move a rule before another one, or to the end.')
    .argument('<rule>', 'id of the rule')
    .option('--before <rule>', 'put it before this rule; left out, it is tried last')
    .action(
      act((cli, [id], { before }) =>
        cli.withCarrel({ runs: false }, async (carrel) => {
          const rule = await carrel.call('rules.move', { workspace: cli.workspace, id, ...given({ before }) })
          cli.term.result(rule, () => cli.term.line(`Moved ${id}.`))
        }),
      ),
    )
  rules
    .command('remove')
    .description('Remove a rule.')
    .argument('<rule>', 'id of the rule')
    .action(
      act((cli, [id]) =>
        cli.withCarrel({ runs: false }, async (carrel) => {
          const removed = await carrel.call('rules.remove', { workspace: cli.workspace, id })
          cli.term.result(removed, () => cli.term.line(`Removed ${id}.`))
        }),
      ),
    )
}
