import { CONFIG_ENV, type Config } from '../../../model/settings/config.ts'
import type { AddCommand, Cli, OpenCli } from '../cli.ts'
import { shown } from '../config.ts'
import { short } from '../terminal.ts'
import { refuseRemote } from './data.ts'

export const addMachine: AddCommand = (program) => {
  program
    .command('agents')
    .summary('list the known agents')
    .description('Lists the known agents, with their state on this machine and how to install them.')
    .addHelpText('after', '\nExamples:\n  $ carrel agents\n  $ carrel agents --json')
    .withCarrel(listAgents)
  program
    .command('doctor')
    .summary('check this machine and installation')
    .description(
      'Checks this machine and installation, with the next step for each problem. Exit code 69 when a check fails.',
    )
    .withCarrel(runDoctor)
  program
    .command('config')
    .summary('show the effective settings with their origins')
    .description('Shows the effective settings of this data folder with their origins.')
    .addHelpText(
      'after',
      `
A setting comes from the command line, else from its environment variable, else from config.json in the data
folder, else from its default.

Examples:
  $ carrel config
  $ CARREL_PORT=8080 carrel config --json | jq .settings.port`,
    )
    .handle(async (cli) => showConfig(cli))
}

async function listAgents(cli: OpenCli): Promise<void> {
  const { carrel, term } = cli
  const list = await carrel.call('agents.list', {})
  term.result(list, () => {
    const rows = list.agents.map((agent) => [
      agent.id === list.default ? `${agent.id} *` : agent.id,
      agent.name,
      agent.installed ? (agent.version ?? 'installed') : 'not installed',
      agent.installed ? short(agent.program ?? '', 60) : short(agent.install || agent.docs, 80),
    ])
    term.table(['AGENT', 'NAME', 'VERSION', 'PROGRAM, OR HOW TO INSTALL IT'], rows, 'No known agents.')
    term.note('* is the default agent.')
  })
}

async function runDoctor(cli: OpenCli): Promise<number> {
  const { carrel, term } = cli
  const { color } = term
  const report = await carrel.call('server.doctor', {})
  const marks = { good: color.green('✓'), limited: color.yellow('!'), bad: color.red('✗') }
  term.result(report, () => {
    for (const { name, state, text, next } of report.findings) {
      term.line(`${marks[state]} ${color.bold(name)}: ${text}`)
      if (next) term.line(`  ${next}`)
    }
    term.note(cli.url ? `Checked by the server at ${cli.url}.` : 'No server is running; checked from here.')
  })
  return report.findings.some(({ state }) => state === 'bad') ? 69 : 0
}

function showConfig(cli: Cli): void {
  refuseRemote(cli)
  const { term, settings: load } = cli
  const { config, origins } = load()
  const names = Object.fromEntries(Object.entries(CONFIG_ENV).map(([name, key]) => [key, name]))
  const keys = Object.keys(config) as (keyof Config)[]
  const value = (key: keyof Config): unknown => JSON.parse(shown(key, config[key]))
  const settings = Object.fromEntries(keys.map((key) => [key, { value: value(key), origin: origins[key] }]))
  term.result({ settings }, () =>
    term.table(
      ['SETTING', 'VALUE', 'ORIGIN', 'ENVIRONMENT VARIABLE'],
      keys.map((key) => [key, short(shown(key, config[key]), 60), origins[key], names[key] ?? '']),
      '',
    ),
  )
}
