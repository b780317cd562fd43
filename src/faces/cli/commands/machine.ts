import { CONFIG_ENV, type Config } from '../../../model/config.ts'
import type { AddCommand } from '../cli.ts'
import { shown } from '../config.ts'
import { short } from '../terminal.ts'

export const addMachine: AddCommand = (program, act) => {
  program
    .command('agents')
    .summary('list the agents that Carrel knows')
    .description('Lists the agents that Carrel knows, which of them are on this machine, and how to get the others.')
    .addHelpText('after', '\nExamples:\n  $ carrel agents\n  $ carrel agents --json')
    .action(
      act((cli) =>
        cli.withCarrel({ runs: false }, async (carrel) => {
          const { term } = cli
          const list = await carrel.call('agents.list', {})
          term.result(list, () => {
            const rows = list.agents.map((agent) => [
              agent.id === list.default ? `${agent.id} *` : agent.id,
              agent.name,
              agent.installed ? (agent.version ?? 'installed') : 'not here',
              agent.installed ? short(agent.program ?? '', 60) : short(agent.install || agent.docs, 80),
            ])
            term.table(['AGENT', 'NAME', 'VERSION', 'PROGRAM, OR HOW TO INSTALL IT'], rows, 'No agent is known.')
            term.note('* is asked when no agent is named.')
          })
        }),
      ),
    )
  program
    .command('doctor')
    .summary('look over this machine and say what is missing')
    .description(
      'Looks over this machine and installation, and says what is missing and what to do. Exit code 69 when something is bad.',
    )
    .action(
      act((cli) =>
        cli.withCarrel({ runs: false }, async (carrel, way) => {
          const { term } = cli
          const { color } = term
          const report = await carrel.call('server.doctor', {})
          const marks = { good: color.green('✓'), limited: color.yellow('!'), bad: color.red('✗') }
          term.result(report, () => {
            for (const { name, state, text, next } of report.findings) {
              term.line(`${marks[state]} ${color.bold(name)}: ${text}`)
              if (next) term.line(`  ${next}`)
            }
            term.note(way.url ? `Asked the server at ${way.url}.` : 'No server is running; looked from here.')
          })
          return report.findings.some(({ state }) => state === 'bad') ? 69 : 0
        }),
      ),
    )
  program
    .command('config')
    .summary('show the settings in effect and where each comes from')
    .description('Shows the settings in effect for this data folder, and where each comes from.')
    .addHelpText(
      'after',
      `
A setting is taken from the command line, else from its environment variable, else from config.json in the
data folder, else it has its default.

Examples:
  $ carrel config
  $ CARREL_PORT=8080 carrel config --json | jq .settings.port`,
    )
    .action(
      act(async (cli) => {
        const { config, origins } = cli.settings()
        const names = Object.fromEntries(Object.entries(CONFIG_ENV).map(([name, key]) => [key, name]))
        const keys = Object.keys(config) as (keyof Config)[]
        const value = (key: keyof Config): unknown => JSON.parse(shown(key, config[key]))
        const settings = Object.fromEntries(keys.map((key) => [key, { value: value(key), origin: origins[key] }]))
        cli.term.result({ settings }, () =>
          cli.term.table(
            ['SETTING', 'VALUE', 'FROM', 'ENVIRONMENT'],
            keys.map((key) => [key, short(shown(key, config[key]), 60), origins[key], names[key] ?? '']),
            '',
          ),
        )
      }),
    )
}
