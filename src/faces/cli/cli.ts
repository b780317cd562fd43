import type { Command } from 'commander'
import type { Carrel } from '../../api/index.ts'
import { dataFolderOf, loadSettings, type Settings } from './config.ts'
import { type Reached, reach } from './reach.ts'
import { openTerminal, type Terminal, type World } from './terminal.ts'

/** What the options that every command takes say. */
export interface GlobalOptions {
  readonly workspace?: string
  readonly json?: boolean
  readonly url?: string
  readonly token?: string
  readonly data?: string
}

/** What a command is given: where to speak, what was said to every command, and the way to Carrel. */
export interface Cli {
  readonly world: World
  readonly term: Terminal
  readonly workspace: string
  readonly dataFolder: string
  /** The server that was named, where one was. */
  readonly far: { readonly url: string; readonly token: string | null } | null
  /** @throws bad_input for a setting that cannot be */
  settings(flags?: Readonly<Record<string, unknown>>): Settings
  /**
   * Runs `use` with a way to Carrel, and lets go of it afterwards.
   * `runs`: the command stays until a run has ended, so an embedded Carrel may run agents, and others may reach it.
   */
  withCarrel<T>(need: { readonly runs: boolean }, use: (carrel: Carrel, way: Reached) => Promise<T>): Promise<T>
}

/** Makes a commander action of a handler, which returns the exit code where that is not 0. */
export type Act = (
  // biome-ignore lint/suspicious/noExplicitAny: arguments and options are what the command's own declaration says
  // biome-ignore lint/suspicious/noConfusingVoidType: most handlers return nothing at all
  handler: (cli: Cli, args: any[], options: any) => Promise<number | undefined | void>,
) => (...raw: unknown[]) => Promise<void>
/** Adds a command, or a family of them, to the table. */
export type AddCommand = (program: Command, act: Act) => void

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
    far: url ? { url, token: options.token ?? env.CARREL_TOKEN ?? null } : null,
    settings: (flags) => loadSettings(sources(flags)),
    withCarrel: async (need, use) => {
      const way = await reach(cli, need)
      try {
        return await use(way.carrel, way)
      } finally {
        await way.close()
      }
    },
  }
  return cli
}
