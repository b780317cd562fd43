import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Client, connect } from '../../src/client/client.ts'
import { createTestSession, eventually, type TestSession } from '../support/carrel-session.ts'
import { agentProcesses } from '../support/carrel-world.ts'
import { type RealAgent, type ScriptedModel, startModel } from './recipes.ts'

const BIN = fileURLToPath(new URL('../../bin/carrel.cjs', import.meta.url))
const run = promisify(execFile)

/** `carrel serve` on a data folder of its own, with a real agent in its configuration and the agent's model. */
export interface Walk {
  readonly model: ScriptedModel
  newSession(): Promise<TestSession>
  /** Returns the address that logs a browser in. */
  loginUrl(): string
  /** Kills the server with SIGKILL and waits for its end. */
  killServer(): Promise<void>
  /** Starts a new server on the same data. Returns a function that reaches a session through it. */
  restart(): Promise<(session: TestSession) => TestSession>
  /** Runs the command line against the server and returns its output. */
  carrel(...words: string[]): Promise<string>
  /** Returns the pids of agents and of their children. */
  processes(): number[]
  /** Kills the agent's own process with SIGKILL, as a crash would. */
  killAgent(): void
  /** Stops the server cleanly. */
  stop(): Promise<void>
  /** Ends all remaining processes and removes all files. */
  close(): Promise<void>
}

export async function openWalk(make: (home: string, url: string) => RealAgent): Promise<Walk> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'carrel-walk-')))
  const home = join(root, 'home')
  const dataFolder = join(root, 'data')
  for (const path of [home, dataFolder]) mkdirSync(path)
  const model = await startModel()
  const agent = make(home, model.url)
  const id = `my-${agent.id}`
  writeConfig(dataFolder, { ...agent, id }, home)
  const env = { PATH: process.env.PATH ?? '', HOME: home, LANG: 'C.UTF-8', CARREL_OUTLIVE_MS: '0', ...agent.secrets }
  const start = () => startServer(dataFolder, env, join(root, 'server.log'))
  let server = await start()
  let made = 0
  return {
    model,
    newSession() {
      made += 1
      return createTestSession(server.client, { agent: id, folder: join(root, 'places', `${made}`) })
    },
    loginUrl: () => server.loginUrl,
    killServer: () => server.kill(),
    async restart() {
      server = await start()
      return (session) => session.through(server.client)
    },
    async carrel(...words) {
      const { stdout } = await run(process.execPath, [BIN, '--data', dataFolder, ...words], { env, timeout: 30_000 })
      return stdout
    },
    processes: () => agentProcesses(root),
    killAgent() {
      const pids = agentProcesses(root).filter((pid) => runsProgram(pid, agent.command))
      if (pids.length === 0) throw new Error('The agent does not run.')
      for (const pid of pids) process.kill(pid, 'SIGKILL')
    },
    stop: () => server.stop(),
    async close() {
      await server.stop()
      await model.close()
      for (const pid of agentProcesses(root)) process.kill(pid, 'SIGKILL')
      rmSync(root, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Writes a configuration with a separate home and the key by name, as a person tries an agent beside their own. */
function writeConfig(dataFolder: string, { env, secrets, ...agent }: RealAgent, home: string): void {
  const custom = { ...agent, env: { ...env, HOME: home }, passEnv: Object.keys(secrets) }
  writeFileSync(join(dataFolder, 'config.json'), JSON.stringify({ defaultAgent: custom.id, agents: [custom] }))
}

interface Server {
  readonly client: Client
  readonly loginUrl: string
  kill(): Promise<void>
  /** Stops the server. Safe to repeat, also after `kill`. */
  stop(): Promise<void>
}

async function startServer(dataFolder: string, env: Record<string, string>, log: string): Promise<Server> {
  rmSync(join(dataFolder, 'server.json'), { force: true })
  const output = openSync(log, 'a')
  // Runs in the Node of the tests, which is the carried one: the child is the server itself, so a test can kill it.
  const child = spawn(process.execPath, [BIN, '--data', dataFolder, 'serve', '--port', '0'], {
    env,
    stdio: ['ignore', output, output],
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const end = async (signal: NodeJS.Signals) => {
    if (isRunning(child)) child.kill(signal)
    await ended
  }
  await eventually('the server listens', () => {
    if (isRunning(child)) return urlOf(dataFolder) !== null
    throw new Error(`The server ended:\n${readFileSync(log, 'utf8')}`)
  })
  const token = readFileSync(join(dataFolder, 'token'), 'utf8').trim()
  const url = urlOf(dataFolder) ?? ''
  const client = connect({ url, token })
  return { client, loginUrl: `${url}/login?token=${token}`, kill: () => end('SIGKILL'), stop: () => end('SIGTERM') }
}

const isRunning = (child: ChildProcess) => child.exitCode === null && child.signalCode === null

function urlOf(dataFolder: string): string | null {
  try {
    return (JSON.parse(readFileSync(join(dataFolder, 'server.json'), 'utf8')) as { url: string }).url
  } catch {
    return null
  }
}

/** Tells whether a process is the program itself, or the interpreter that runs it; a wrapper in front of it is not. */
function runsProgram(pid: number, command: string): boolean {
  const [first, second] = commandLine(pid)
  return first === command || second === command
}

/** Returns the command line of a process; an empty list when the process is gone. */
export function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}
