import type { Output } from '../../../api/index.ts'
import type { Budget, Environment, EnvironmentChange } from '../../../model/settings/environment.ts'
import { readSize, sizeShort } from '../../../model/settings/sizes.ts'
import { nameOf } from '../../../model/who-words.ts'
import { collect, given } from '../arguments.ts'
import type { AddCommand, CliCommand, OpenCli } from '../cli.ts'
import { badInput } from '../problem.ts'
import type { Terminal } from '../terminal.ts'
import { namesOf, type ScopeOptions, scopeFor } from '../whereabouts.ts'

export const addEnv: AddCommand = (program) => {
  const group = program
    .command('env')
    .summary('environment settings: variables, home, ports, sandbox, limits and budgets of runs')
    .description(
      'Environment settings of runs: variables, home, ports, sandbox, limits and budgets. Set for the workspace, a Space or a project; the most specific scope wins, for limits the smallest.',
    )
  withScope(group.command('show'))
    .description('Show the effective settings, each with the scope that sets it.')
    .withCarrel(async (cli, _, options) => {
      const scope = await scopeFor(cli, options)
      const found = await cli.carrel.call('environment.get', { workspace: cli.workspace, ...scope })
      cli.term.result(found, () => showSettings(cli.term, found.effective))
    })
  addSet(group)
  group
    .command('ports')
    .description('List the ports of working copies, whether a program listens, and their previews.')
    .withCarrel(listPorts)
  group
    .command('browsers')
    .description('List the runs that have a browser, and the runs that wait for one.')
    .withCarrel(listBrowsers)
  group
    .command('given')
    .description('Show the environment of a run, with handles in place of secret values.')
    .argument('<run>', 'id of the run')
    .withCarrel((cli, [run]) => showRun(cli, run))
}

function addSet(group: CliCommand): void {
  withScope(group.command('set'))
    .description('Change environment settings. Applies to new runs.')
    .option('--env <NAME=value>', 'a plain variable, visible to everybody in the workspace; repeatable', collect, [])
    .option('--home <owner>', 'person, agent, space or run')
    .option('--sandbox <mode>', 'off, guard or strict')
    .option('--host <name>', 'a host reachable from a strict sandbox; repeatable', collect, [])
    .option('--ports <names>', 'names of ports, comma-separated')
    .option('--browser <mode>', 'none, or own: each run gets its own browser')
    .option('--limit <name=amount>', 'of each run: ms, turns, tokens, cost, memoryBytes (2g) or pids', collect, [])
    .option('--budget <of.name=number>', 'session or total, then ms, turns, tokens or cost', collect, [])
    .option('--unset <field>', 'remove a setting of this scope, such as env, env.NAME or limits.ms', collect, [])
    .addHelpText(
      'after',
      `
Examples:
  $ carrel env set --env LOG_LEVEL=debug --space .
  $ carrel env set --limit ms=3600000 --budget session.tokens=2000000
  $ carrel env set --limit memoryBytes=4g --limit pids=512 --space .
  $ carrel env set --unset env.LOG_LEVEL --space .`,
    )
    .withCarrel(async (cli, _, options: SetOptions) => {
      const scope = { workspace: cli.workspace, ...(await scopeFor(cli, options)) }
      const { own } = await cli.carrel.call('environment.get', scope)
      const settings = changeOf(own, options)
      if (Object.keys(settings).length === 0) throw badInput('Name a setting to change; see `--help` for all settings.')
      const found = await cli.carrel.call('environment.set', { ...scope, settings })
      cli.term.result(found, () => cli.term.line('Changed. Applies to new runs.'))
    })
}

const withScope = (command: CliCommand): CliCommand =>
  command
    .option('-s, --space <space>', 'scope: this Space, by id, name or folder')
    .option('-p, --project <project>', 'scope: this project, by id, or by name with --space')

function showSettings(term: Terminal, effective: Output<'environment.get'>['effective']): void {
  const { env, hosts, limits, budgets, ...single } = effective
  const rows = [
    ...Object.entries(single).map(([name, { value, from }]) => [name, from, String(value)]),
    ...hosts.map(({ value, from }) => ['host', from, value]),
    ...Object.entries(limits).map(([name, { value, from }]) => [`limit ${name}`, from, amount(name, value)]),
    ...budgets.flatMap(({ of, from, budget }) =>
      Object.entries(budget).map(([name, value]) => [`budget ${of} ${name}`, from, String(value)]),
    ),
    ...Object.entries(env).map(([name, { value, from }]) => [name, from, value]),
  ]
  term.table(['SETTING', 'SET IN', 'VALUE'], rows, '')
}

/** Formats an amount as `--limit` accepts it. */
const amount = (name: string, value: number): string => (name === 'memoryBytes' ? sizeShort(value) : String(value))

async function listPorts(cli: OpenCli): Promise<void> {
  const { carrel, workspace, term, url } = cli
  const found = await carrel.call('ports.list', { workspace })
  const named = term.json ? String : await namesOf(cli)
  term.result(found, () => {
    const rows = found.ports.map(({ place, name, port, listening, apart, preview }) => {
      const [kind = '', id = ''] = place.split(':')
      const address = url === null || apart ? '' : `${url.replace(/\/+$/, '')}/preview/${preview}`
      const state = apart ? 'strict sandbox: unreachable' : listening ? 'listening' : ''
      return [`${kind === 'space' ? 'Space' : kind} ${named(id)}`, name, String(port), state, address]
    })
    const empty = 'No ports yet. Add some with `carrel env set --ports`.'
    term.table(['WORKING COPY', 'NAME', 'PORT', '', 'PREVIEW'], rows, empty)
    if (url === null && rows.length > 0) term.note('Previews need a running server: `carrel serve`.')
  })
}

async function listBrowsers(cli: OpenCli): Promise<void> {
  const { carrel, workspace, term } = cli
  const found = await carrel.call('browsers.list', { workspace })
  term.result(found, () => {
    const rows = found.browsers.map((each) => [
      each.state,
      each.run,
      each.session,
      each.agent,
      browserDetails(each).join(', '),
    ])
    term.table(['STATE', 'RUN', 'SESSION', 'AGENT', ''], rows, 'No run has a browser or waits for one.')
    term.note(`Browsers in use: ${found.taken} of ${found.most}.`)
  })
}

type BrowserUse = Output<'browsers.list'>['browsers'][number]

function browserDetails({ before, replaced, holder }: BrowserUse): string[] {
  return [
    ...(before === null ? [] : [`${before} ahead in the queue`]),
    ...(replaced === 0 ? [] : [`replaced ${replaced} times`]),
    ...(holder === null ? [] : [`controlled by ${nameOf(holder.by)} since ${new Date(holder.since).toISOString()}`]),
  ]
}

async function showRun(cli: OpenCli, id: string): Promise<void> {
  const run = await cli.carrel.call('runs.environment', { workspace: cli.workspace, id })
  cli.term.result(run, () => {
    const { env, limits, ...facts } = run
    const rows = [
      ...Object.entries(facts).map(([name, value]) => [name, '', String(value)]),
      ...Object.entries(limits).map(([name, value]) => [`limit ${name}`, '', amount(name, value ?? 0)]),
    ]
    const variables = env.map(({ name, from, value }) => [name, from, value ?? ''])
    cli.term.table(['SETTING', 'SET IN', 'VALUE'], [...rows, ...variables], '')
  })
}

interface SetOptions extends ScopeOptions {
  readonly env: string[]
  readonly home?: Environment['home']
  readonly sandbox?: Environment['sandbox']
  readonly host: string[]
  readonly ports?: string
  readonly browser?: Environment['browser']
  readonly limit: string[]
  readonly budget: string[]
  readonly unset: string[]
}

function changeOf(own: Environment, options: SetOptions): EnvironmentChange {
  const { env, home, sandbox, host, ports, browser, limit, budget, unset } = options
  const next: Record<string, unknown> = {
    ...given({ home, sandbox, browser }),
    ...(ports === undefined ? {} : { ports: ports.split(',').map((name) => name.trim()) }),
    ...(host.length > 0 ? { hosts: [...new Set([...(own.hosts ?? []), ...host])] } : {}),
    ...(env.length > 0 ? { env: { ...own.env, ...Object.fromEntries(env.map((text) => pair(text))) } } : {}),
    ...(limit.length > 0 ? { limits: { ...own.limits, ...numbers(limit) } } : {}),
  }
  for (const [name, value] of Object.entries(numbers(budget))) {
    const [of = '', measure = ''] = name.split('.')
    const before = (next.budgets ?? own.budgets ?? {}) as Record<string, Budget>
    next.budgets = { ...before, [of]: { ...before[of], [measure]: value } }
  }
  for (const path of unset) {
    const [field = '', ...inner] = path.split('.')
    const before = Object.hasOwn(next, field) ? next[field] : own[field as keyof Environment]
    next[field] = inner.length === 0 ? null : without(before, inner)
  }
  return next as EnvironmentChange
}

function pair(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw badInput(`${JSON.stringify(text)} must look like NAME=value.`)
  return [text.slice(0, at), text.slice(at + 1)]
}

function numbers(all: readonly string[]): Record<string, number> {
  const entries = all.map((text) => {
    const [name, value] = pair(text)
    const size = name === 'memoryBytes' ? readSize(value) : null
    if (size !== null) return [name, size]
    if (name === 'memoryBytes') throw badInput(`${JSON.stringify(value)} is not a size. Use 512m or 2g.`)
    if (!/^\d+(\.\d+)?$/.test(value)) throw badInput(`${JSON.stringify(value)} in ${name} is not a number.`)
    return [name, Number(value)]
  })
  return Object.fromEntries(entries)
}

function without(value: unknown, [name = '', ...inner]: readonly string[]): unknown {
  if (value === null || typeof value !== 'object' || !Object.hasOwn(value, name))
    throw badInput(`${name} is not set in this scope. See \`carrel env show\`.`)
  const { [name]: removed, ...rest } = value as Record<string, unknown>
  return inner.length === 0 ? rest : { ...rest, [name]: without(removed, inner) }
}
