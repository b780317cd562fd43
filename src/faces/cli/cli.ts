import { Command, type HelpContext } from 'commander'
import { dataFolderOf, loadSettings, type Settings } from './config.ts'
import { type CarrelAccess, reach } from './reach.ts'
import { openTerminal, type Terminal, type World } from './terminal.ts'

interface GlobalOptions {
  readonly workspace?: string
  readonly json?: boolean
  readonly url?: string
  readonly token?: string
  readonly data?: string
}

/** Context of a command: terminal, global options, and access to Carrel. */
export interface Cli {
  readonly world: World
  readonly term: Terminal
  readonly workspace: string
  readonly dataFolder: string
  /** Server of `--url` or CARREL_URL; null for none. */
  readonly remote: { readonly url: string; readonly token: string | null } | null
  /** Loads the settings. @throws bad_input for an invalid setting */
  settings(flags?: Readonly<Record<string, unknown>>): Settings
  /**
   * Runs `use` with access to Carrel, and closes it afterwards.
   * `runs`: the command stays until a run has ended, so an embedded Carrel runs agents and accepts other commands.
   */
  withCarrel<T>(need: { readonly runs: boolean }, use: (cli: OpenCli) => Promise<T>): Promise<T>
}

/** Context of a command while it has access to Carrel. */
export interface OpenCli extends Cli, CarrelAccess {}

export type AddCommand = (program: CliCommand) => void

/** Runs a command. Returns the exit code unless it is 0. */
type Handler<Context> = (
  cli: Context,
  // biome-ignore lint/suspicious/noExplicitAny: the declaration of the command defines arguments and options
  args: any[],
  // biome-ignore lint/suspicious/noExplicitAny: the declaration defines them
  options: any,
  // biome-ignore lint/suspicious/noConfusingVoidType: most handlers return nothing
) => Promise<number | undefined | void>

/** Command whose handler gets the context of the process. `done` receives the exit code. */
export class CliCommand extends Command {
  readonly #world: World
  readonly #done: (exit: number) => void
  /** Of `Command`, which has it without a type. */
  declare unknownCommand: () => never

  constructor(world: World, done: (exit: number) => void, name?: string) {
    super(name)
    this.#world = world
    this.#done = done
  }

  override createCommand(name?: string): CliCommand {
    return new CliCommand(this.#world, this.#done, name)
  }

  /** Refuses an unknown command: with the help of its parent, a script would take its typing error for success. */
  override helpInformation(context?: HelpContext): string {
    const [name = '-'] = this.args
    const takesCommands = this.commands.length > 0 && this.registeredArguments.length === 0
    if (takesCommands && !name.startsWith('-')) this.unknownCommand()
    return super.helpInformation(context)
  }

  handle(handler: Handler<Cli>): this {
    return this.action(async () => {
      const cli = openCli(this.#world, this.optsWithGlobals<GlobalOptions>())
      this.#done((await handler(cli, this.processedArgs, this.opts())) ?? 0)
    })
  }

  /** Like `handle`, with access to Carrel. An embedded Carrel starts no runs. */
  withCarrel(handler: Handler<OpenCli>): this {
    return this.handle((cli, args, options) => cli.withCarrel({ runs: false }, (open) => handler(open, args, options)))
  }
}

function openCli(world: World, options: GlobalOptions): Cli {
  const { env, cwd } = world
  const given = options.data === undefined ? {} : { dataFolder: options.data }
  const sources = (flags: Readonly<Record<string, unknown>> = {}) => ({
    flags: { ...flags, ...given },
    env,
    cwd,
    platform: process.platform,
  })
  const url = options.url ?? env.CARREL_URL
  const cli: Cli = {
    world,
    term: openTerminal(world, options.json === true),
    workspace: options.workspace ?? env.CARREL_WORKSPACE ?? 'default',
    dataFolder: dataFolderOf(sources()).path,
    remote: url ? { url, token: options.token ?? env.CARREL_TOKEN ?? null } : null,
    settings: (flags) => loadSettings(sources(flags)),
    withCarrel: async (need, use) => {
      const access = await reach(cli, need)
      try {
        return await use({ ...cli, ...access })
      } finally {
        await access.close()
      }
    },
  }
  return cli
}
