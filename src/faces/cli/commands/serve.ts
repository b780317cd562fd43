import type { PausedData } from '../../../api/admin.ts'
import { CarrelError } from '../../../model/errors.ts'
import { leavesAgents } from '../../../model/settings/config.ts'
import type { HttpServer } from '../../http/http.ts'
import { given } from '../arguments.ts'
import { hasDesktop, openBrowser } from '../browser.ts'
import type { AddCommand, Cli } from '../cli.ts'
import { shown } from '../config.ts'
import { VERSION } from '../installation.ts'
import { notePaused } from '../paused.ts'
import { openFolder, personHere } from '../reach.ts'
import { askServer, readServerFile, readToken, removeServerFile, writeServerFile } from '../server-file.ts'
import { span } from '../terminal.ts'

const PATIENCE_MS = 3_000

interface Options {
  readonly port?: string
  readonly host?: string
  readonly open?: boolean
  readonly web: boolean
  readonly upgradeCopy?: string
}

export const addServe: AddCommand = (program) => {
  program
    .command('serve')
    .summary('start the server and print the address of the page')
    .description('Starts the server with page and API, by default for this machine only. Runs until Ctrl-C.')
    .option('--port <port>', 'port to listen on; 0 for any free port (default: 4747)')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--open', 'open the page in the browser')
    .option('--no-web', 'serve the API without the page')
    .option('--upgrade-copy <how>', 'make: copy the data before an upgrade; made: you have a copy (default: make)')
    .addHelpText(
      'after',
      `
Ctrl-C stops the server cleanly: agents keep working for ten minutes (CARREL_OUTLIVE_MS) and the next server reattaches
to them; runs that wait for you are kept. A second Ctrl-C exits at once.

Examples:
  $ carrel serve
  $ carrel serve --port 0 --data /srv/carrel
  $ carrel serve --json | jq -r .loginUrl`,
    )
    .handle((cli, _, options: Options) => serve(cli, options))
}

async function serve(cli: Cli, options: Options): Promise<number> {
  const { config } = cli.settings(given({ port: options.port, host: options.host, upgradeCopy: options.upgradeCopy }))
  const { dataFolder } = config
  await refuseSecond(dataFolder)
  const stopped = stopSignal(cli)
  const [engine, { serveHttp }] = await Promise.all([openFolder(cli, config), import('../../http/http.ts')])
  try {
    const server = await serveHttp(engine, {
      ...(options.web ? {} : { webFolder: null }),
      host: config.host,
      port: config.port,
      version: VERSION,
    })
    try {
      writeServerFile(dataFolder, { url: server.url, pid: process.pid, startedAt: cli.world.now() })
      const { paused } = await engine.carrelFor(personHere()).call('server.status', {})
      announce(cli, server, { ...config, paused })
      if (options.open) await openBrowser(cli.world, dataFolder, server.loginUrl, process.platform)
      await stopped
      cli.term.note('Stopping. Press Ctrl-C again to exit at once.')
      const { liveRuns } = await engine.carrelFor(personHere()).call('server.status', {})
      if (liveRuns > 0 && leavesAgents(config))
        cli.term.note(`Agents keep working for ${span(config.outliveMs)}; the next server reattaches to them.`)
    } finally {
      removeServerFile(dataFolder, process.pid)
      await server.close()
    }
  } finally {
    await engine.close()
  }
  return 0
}

async function refuseSecond(dataFolder: string): Promise<void> {
  const token = readToken(dataFolder)
  const server = readServerFile(dataFolder)
  if (!server || !token || !(await askServer(server.url, token, PATIENCE_MS))) return
  throw new CarrelError(
    'unavailable',
    `Carrel already uses the data folder ${dataFolder}: process ${server.pid}, at ${server.url}. Run \`carrel open\` for its page, stop it, or start another one with --data.`,
    { folder: dataFolder, ...server },
  )
}

/** Window in which repeated signals count as one: a service manager signals the whole group, and a parent forwards. ms. */
const ONE_SIGNAL_MS = 500

/** Resolves at the first SIGINT, SIGTERM or SIGHUP; a later signal exits at once. */
function stopSignal({ world }: Cli): Promise<void> {
  return new Promise((resolve) => {
    let first: number | null = null
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (first === null) {
          first = performance.now()
          return resolve()
        }
        if (performance.now() - first < ONE_SIGNAL_MS) return
        world.stderr.write('Stopped at once. The next server recovers unfinished runs.\n')
        process.exit(130)
      })
    }
  })
}

interface Served {
  readonly dataFolder: string
  readonly databaseUrl: string | null
  readonly paused: PausedData | null
}

function announce(cli: Cli, server: HttpServer, config: Served): void {
  const { term } = cli
  const store =
    config.databaseUrl === null ? 'SQLite' : `Postgres ${JSON.parse(shown('databaseUrl', config.databaseUrl))}`
  const { url, loginUrl, port } = server
  const { dataFolder, paused } = config
  term.result({ url, loginUrl, port, pid: process.pid, dataFolder, store, version: VERSION, paused }, () => {
    term.line('')
    term.line(`  Carrel ${VERSION} is ready. Your login link (keep it secret):`)
    term.line('')
    term.line(`    ${term.color.bold(term.color.cyan(loginUrl))}`)
    term.line('')
    term.line(term.color.dim(`  Data   ${dataFolder}`))
    term.line(term.color.dim(`  Store  ${store}`))
    term.line(term.color.dim('  Press Ctrl-C to stop.'))
    term.line('')
    notePaused(term, paused)
  })
}

export const addOpen: AddCommand = (program) => {
  program
    .command('open')
    .summary('open the page of the running server')
    .description('Prints the login link of the running server, and opens it in your browser.')
    .option('--print', 'only print the link')
    .addHelpText('after', '\nExamples:\n  $ carrel open\n  $ carrel open --print')
    .handle(async (cli, _, { print }) => {
      const { dataFolder, term, world } = cli
      const token = cli.remote ? cli.remote.token : readToken(dataFolder)
      const url = cli.remote?.url ?? readServerFile(dataFolder)?.url
      if (!url || !token || !(await askServer(url, token, PATIENCE_MS)))
        throw new CarrelError(
          'unavailable',
          cli.remote
            ? `Carrel does not answer at ${cli.remote.url}, or refuses this token.`
            : `No server runs on the data folder ${dataFolder}. Start one with \`carrel serve\`.`,
        )
      const loginUrl = `${url.replace(/\/+$/, '')}/login?token=${encodeURIComponent(token)}`
      term.result({ url, loginUrl }, () => term.line(loginUrl))
      if (!print && !term.json && hasDesktop(world, process.platform))
        await openBrowser(world, dataFolder, loginUrl, process.platform)
    })
}
