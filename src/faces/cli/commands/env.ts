import type { Command } from 'commander'
import type { Output } from '../../../api/index.ts'
import type { Budget, Environment, EnvironmentChange } from '../../../model/environment.ts'
import { readSize, sizeShort } from '../../../model/sizes.ts'
import { given } from '../arguments.ts'
import type { AddCommand, Cli } from '../cli.ts'
import { badInput } from '../problem.ts'
import type { Terminal } from '../terminal.ts'
import { namesOf, type ScopeWanted, scopeFor } from '../whereabouts.ts'

export const addEnv: AddCommand = (program, act) => {
  const environment = program
    .command('env')
    .summary('what runs are given, and what they may use')
    .description(
      'Environment: variables, home, ports, sandbox, limits and budgets of runs. Said for the workspace, a Space or a project; what is nearer wins.',
    )
  placed(environment.command('show'))
    .description('Show what holds, and where each part of it is said.')
    .action(
      act((cli, _, wanted) =>
        cli.withCarrel({ runs: false }, async (carrel, way) => {
          const where = await scopeFor(cli, way, wanted)
          const found = await carrel.call('environment.get', { workspace: cli.workspace, ...where })
          cli.term.result(found, () => show(cli.term, found.effective))
        }),
      ),
    )
  placed(environment.command('set'))
    .description('Change what runs are given. Runs that begin from now on get it.')
    .option('--env <NAME=value>', 'a variable, for everybody to see; may be said again', collect, [])
    .option('--home <whose>', 'person, agent, space or run')
    .option('--sandbox <kind>', 'off, guard or strict')
    .option('--host <name>', 'a host that a strict sandbox lets through; may be said again', collect, [])
    .option('--ports <names>', 'names of ports, with commas in between')
    .option('--browser <which>', 'none, or own: each run has one for itself')
    .option('--limit <name=amount>', 'of each run: ms, turns, tokens, cost, memoryBytes (2g) or pids', collect, [])
    .option('--budget <of.name=number>', 'session or total, then ms, turns, tokens or cost', collect, [])
    .option('--unset <what>', 'take away what is said here, such as env, env.NAME or limits.ms', collect, [])
    .addHelpText(
      'after',
      `
Examples:
  $ carrel env set --env LOG_LEVEL=debug --space .
  $ carrel env set --limit ms=3600000 --budget session.tokens=2000000
  $ carrel env set --limit memoryBytes=4g --limit pids=512 --space .
  $ carrel env set --unset env.LOG_LEVEL --space .`,
    )
    .action(act((cli, _, options) => set(cli, options)))
  environment
    .command('ports')
    .description('List the ports that places have, whether something listens there, and where to look at it.')
    .action(
      act((cli) =>
        cli.withCarrel({ runs: false }, async (carrel, { url }) => {
          const { workspace, term } = cli
          const found = await carrel.call('ports.list', { workspace })
          const named = term.json ? String : await namesOf(carrel, workspace)
          term.result(found, () => {
            const rows = found.ports.map(({ place, name, port, listening, apart, preview }) => {
              const [kind = '', id = ''] = place.split(':')
              const address = url === null || apart ? '' : `${url.replace(/\/+$/, '')}/preview/${preview}`
              return [
                `${kind === 'space' ? 'Space' : kind} ${named(id)}`,
                name,
                String(port),
                apart ? 'strict: not from outside' : listening ? 'listens' : '',
                address,
              ]
            })
            term.table(
              ['PLACE', 'NAME', 'PORT', '', 'PREVIEW'],
              rows,
              'No place has a port yet: `carrel env set --ports`.',
            )
            if (url === null && rows.length > 0) term.note('Previews are shown by a running server: `carrel serve`.')
          })
        }),
      ),
    )
  environment
    .command('browsers')
    .description('List the runs that have a browser, and those that wait for one.')
    .action(
      act((cli) =>
        cli.withCarrel({ runs: false }, async (carrel) => {
          const { workspace, term } = cli
          const found = await carrel.call('browsers.list', { workspace })
          term.result(found, () => {
            const rows = found.browsers.map((each) => {
              const { state, run, session, agent, replaced, before, holder } = each
              const more = [
                ...(before === null ? [] : [`${before} before it`]),
                ...(replaced === 0 ? [] : [`replaced ${replaced} times`]),
                ...(holder === null
                  ? []
                  : [`taken over by ${holder.by.name} at ${new Date(holder.since).toISOString()}`]),
              ]
              return [state, run, session, agent, more.join(', ')]
            })
            term.table(['', 'RUN', 'SESSION', 'AGENT', ''], rows, 'No run has a browser or waits for one.')
            term.note(`${found.taken} of ${found.most} are taken.`)
          })
        }),
      ),
    )
  environment
    .command('given')
    .description('Show what a run was given, with handles in the place of secrets.')
    .argument('<run>', 'id of the run')
    .action(
      act((cli, [id]) =>
        cli.withCarrel({ runs: false }, async (carrel) => {
          const run = await carrel.call('runs.environment', { workspace: cli.workspace, id })
          cli.term.result(run, () => {
            const { env, limits, ...facts } = run
            const rows = [
              ...Object.entries(facts).map(([name, value]) => [name, '', String(value)]),
              ...Object.entries(limits).map(([name, value]) => [`limit ${name}`, '', amount(name, value ?? 0)]),
            ]
            const variables = env.map(({ name, from, value }) => [name, from, value ?? ''])
            cli.term.table(['WHAT', 'FROM', 'VALUE'], [...rows, ...variables], '')
          })
        }),
      ),
    )
}

const placed = (command: Command): Command =>
  command
    .option('-s, --space <space>', 'of this Space: id, name or folder')
    .option('-p, --project <project>', 'of this project: id, or name with --space')

const collect = (text: string, before: string[]): string[] => [...before, text]

function show(term: Terminal, effective: Output<'environment.get'>['effective']): void {
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
  term.table(['WHAT', 'FROM', 'VALUE'], rows, '')
}

/** As `--limit` takes it. */
const amount = (name: string, value: number): string => (name === 'memoryBytes' ? sizeShort(value) : String(value))

interface SetOptions extends ScopeWanted {
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

async function set(cli: Cli, options: SetOptions): Promise<void> {
  await cli.withCarrel({ runs: false }, async (carrel, way) => {
    const where = { workspace: cli.workspace, ...(await scopeFor(cli, way, options)) }
    const { own } = await carrel.call('environment.get', where)
    const settings = changeOf(own, options)
    if (Object.keys(settings).length === 0) throw badInput('Say what to change; `--help` lists what there is.')
    const found = await carrel.call('environment.set', { ...where, settings })
    cli.term.result(found, () => cli.term.line('Changed. Runs that begin from now on get it.'))
  })
}

/** What was said here, with what the options add to it and take from it. */
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
    const [of = '', what = ''] = name.split('.')
    const before = (next.budgets ?? own.budgets ?? {}) as Record<string, Budget>
    next.budgets = { ...before, [of]: { ...before[of], [what]: value } }
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
  if (at < 1) throw badInput(`${JSON.stringify(text)} should look like NAME=value.`)
  return [text.slice(0, at), text.slice(at + 1)]
}

function numbers(all: readonly string[]): Record<string, number> {
  const entries = all.map((text) => {
    const [name, value] = pair(text)
    const size = name === 'memoryBytes' ? readSize(value) : null
    if (size !== null) return [name, size]
    if (name === 'memoryBytes') throw badInput(`${JSON.stringify(value)} is no size. Say 512m or 2g.`)
    if (!/^\d+(\.\d+)?$/.test(value)) throw badInput(`${JSON.stringify(value)} in ${name} is not a number.`)
    return [name, Number(value)]
  })
  return Object.fromEntries(entries)
}

function without(value: unknown, [name = '', ...inner]: readonly string[]): unknown {
  if (value === null || typeof value !== 'object' || !Object.hasOwn(value, name))
    throw badInput(`${name} is not said here: \`carrel env show\`.`)
  const { [name]: gone, ...rest } = value as Record<string, unknown>
  return inner.length === 0 ? rest : { ...rest, [name]: without(gone, inner) }
}
