import type { Command } from 'commander'
import type { Carrel } from '../../api/index.ts'
import { dataFolderOf, loadSettings, type Settings } from './config.ts'
import { type CarrelAccess, reach } from './reach.ts'
import { openTerminal, type Terminal, type World } from './terminal.ts'

/** Options of every command. */
export interface GlobalOptions {
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
  withCarrel<T>(need: { readonly runs: boolean }, use: (carrel: Carrel, access: CarrelAccess) => Promise<T>): Promise<T>
}

/** Converts a handler to a commander action. The handler returns the exit code unless it is 0. */
export type ToAction = (
  // biome-ignore lint/suspicious/noExplicitAny: the declaration of the command defines arguments and options
  // biome-ignore lint/suspicious/noConfusingVoidType: most handlers return nothing
  handler: (cli: Cli, args: any[], options: any) => Promise<number | undefined | void>,
) => (...raw: unknown[]) => Promise<void>
/** Adds a command, or a group of commands, to the program. */
export type AddCommand = (program: Command, toAction: ToAction) => void

export function openCli(world: World, options: GlobalOptions): Cli {
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
        return await use(access.carrel, access)
      } finally {
        await access.close()
      }
    },
  }
  return cli
}
