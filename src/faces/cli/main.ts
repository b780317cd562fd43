import { homedir } from 'node:os'
import { type Command, CommanderError } from 'commander'
import { ERRORS } from '../../model/errors.ts'
import { CliCommand } from './cli.ts'
import { addAttach } from './commands/attach.ts'
import { addProjectPlaces } from './commands/copies.ts'
import { addBackup, addExport, addRetention } from './commands/data.ts'
import { addEnv } from './commands/env.ts'
import { addFileRules } from './commands/file-rules.ts'
import { addFiles } from './commands/files.ts'
import { addLog } from './commands/log.ts'
import { addMachine } from './commands/machine.ts'
import { addMachines } from './commands/machines.ts'
import { addProjects, addSpaces, addWorkspaces } from './commands/places.ts'
import { addPlans } from './commands/plans.ts'
import { addQuestions } from './commands/questions.ts'
import { addRules } from './commands/rules.ts'
import { addRun } from './commands/run.ts'
import { addRuns } from './commands/runs.ts'
import { addSearch } from './commands/search.ts'
import { addSecrets } from './commands/secrets.ts'
import { addOpen, addServe } from './commands/serve.ts'
import { addSessions } from './commands/sessions.ts'
import { addUnpause } from './commands/unpause.ts'
import { addUpgrade } from './commands/upgrade.ts'
import { RUN_EXIT } from './exits.ts'
import { VERSION } from './installation.ts'
import { openTerminal, type World } from './terminal.ts'

/** Commands in the order of the help: start, work, inspect, organize, machine. */
const COMMANDS = [
  addServe,
  addOpen,
  addRun,
  addAttach,
  addRuns,
  addQuestions,
  addLog,
  addSearch,
  addFiles,
  addPlans,
  addSessions,
  addProjects,
  addProjectPlaces,
  addSpaces,
  addWorkspaces,
  addRules,
  addFileRules,
  addSecrets,
  addEnv,
  addExport,
  addBackup,
  addUnpause,
  addRetention,
  addUpgrade,
  addMachines,
  addMachine,
]

const EXIT_CODES = `
Exit codes:
   0  done; for run: completed
${exitLines()}
 141  nobody reads the output any more, as behind '| head'
More of run: carrel help run

Examples:
  $ carrel serve                       start the server and print the address of the page
  $ carrel run "fix the failing test"  ask the agent to work in this folder
  $ carrel inbox                       list the questions for you
  $ carrel answer int_... 1            answer one

Commands use the running server. Without a server they open Carrel in their own process.`

function exitLines(): string {
  const byExit = Map.groupBy(Object.entries(ERRORS), ([, { exit }]) => exit)
  return [...byExit]
    .sort(([a], [b]) => a - b)
    .map(([exit, codes]) => `${String(exit).padStart(4)}  ${codes.map(([code]) => code).join(', ')}`)
    .join('\n')
}

/** Creates the program with all commands. `done` receives the exit code of the executed command. */
export function buildProgram(world: World, done: (exit: number) => void): Command {
  const program = new CliCommand(world, done, 'carrel')
  // Configured before the first command: commands inherit these settings on creation.
  program
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void world.stdout.write(text),
      writeErr: (text) => void world.stderr.write(text),
      outputError: () => undefined,
      getOutHelpWidth: () => 100,
      getErrHelpWidth: () => 100,
    })
    .configureHelp({ showGlobalOptions: true })
    .description('Durable agent sessions in the browser, the terminal and an API.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .option('-w, --workspace <id>', 'the workspace (or CARREL_WORKSPACE; default: default)')
    .option('--json', 'for programs: JSON on stdout, errors as JSON on stderr')
    .option('--url <url>', 'address of another server (or CARREL_URL)')
    .option('--token <token>', 'its token (or CARREL_TOKEN, which other users of this machine cannot see)')
    .option('--data <folder>', 'the data folder (or CARREL_DATA_FOLDER)')
    .addHelpText('after', EXIT_CODES)
  for (const add of COMMANDS) add(program)
  return program
}

/**
 * Runs the command in `argv`.
 * @param argv the arguments after the program name
 * @returns the exit code, after all output is written and everything is closed
 */
export async function runCli(argv: readonly string[], world: World): Promise<number> {
  let exit = 0
  const program = buildProgram(world, (code) => {
    exit = code
  })
  try {
    await program.parseAsync(argv.length === 0 ? ['--help'] : [...argv], { from: 'user' })
    return exit
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0
    if (thrown instanceof CommanderError && thrown.code === 'commander.help') return ERRORS.bad_input.exit
    return openTerminal(world, argv.includes('--json')).problem(thrown).exit
  }
}

/** Returns the world of this process. Without a reader of stdout it ends as shells report it of any program. */
export function processWorld(): World {
  const { env, stdin, stdout, stderr } = process
  leaveLoopbackUnproxied(env)
  let leave = (): void => process.exit(RUN_EXIT.unread)
  stdout.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? leave() : process.exit(70)))
  const onUnread = (instead: () => void): void => {
    leave = instead
  }
  return { env, cwd: process.cwd(), home: homedir(), stdin, stdout, stderr, now: Date.now, onUnread }
}

/** Node sends every request through HTTP_PROXY when NODE_USE_ENV_PROXY is set; a proxy cannot reach this machine's loopback. */
function leaveLoopbackUnproxied(env: NodeJS.ProcessEnv): void {
  if (!env.NODE_USE_ENV_PROXY) return
  // Node reads the small name first.
  const name = env.no_proxy === undefined ? 'NO_PROXY' : 'no_proxy'
  env[name] = [env[name], 'localhost', '127.0.0.1', '::1'].filter(Boolean).join(',')
}
