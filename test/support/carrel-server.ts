import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { type Client, connect } from '../../src/client/client.ts'
import type { Config } from '../../src/model/settings/config.ts'
import { testProgram } from './built.ts'
import { createTestSession, type SessionOptions, type TestSession } from './carrel-session.ts'
import { agentProcesses, type TestFolder } from './carrel-world.ts'

/** A real server process on the data folder of a test folder. */
export interface Server {
  readonly pid: number
  readonly url: string
  readonly token: string
  readonly carrel: Client
  /** Returns everything that the server wrote to stderr. */
  readonly stderr: () => string
  session(options?: Partial<SessionOptions>): Promise<TestSession>
  /** Kills the server with `kill -9` and waits for its end. */
  kill(): Promise<void>
  /** Stops the server with SIGTERM and waits for its end. */
  stop(): Promise<void>
  signal(name: NodeJS.Signals): void
}

/** The client retries almost at once: a test waits for the server, not for the client's back-off. */
const TIMING = { firstWaitMs: 20, longestWaitMs: 100 }

const main = testProgram('serve')

interface ServerOptions {
  readonly page?: boolean
  readonly disk?: Disk | null
  /** A command that starts the server as its last arguments say. */
  readonly through?: readonly string[]
}

/**
 * Starts a server and waits until it serves. Its agents end with it unless `outliveMs` is set.
 * @throws Error with the server's stderr if the server ends first
 */
export async function startServer(
  testFolder: TestFolder,
  settings: Partial<Config> = {},
  { page = false, disk = null, through = [] }: ServerOptions = {},
): Promise<Server> {
  const asked = JSON.stringify({
    logLevel: 'warn',
    outliveMs: 0,
    historyWaitMs: 60_000,
    ...settings,
    dataFolder: settings.dataFolder ?? testFolder.dataFolder,
  })
  const args = [main, asked, ...(page ? ['page'] : [])]
  const [command = process.execPath, ...words] = [...through, ...withDisk(disk, [process.execPath, ...args])]
  const child = spawn(command, words, { env: { ...testFolder.env }, stdio: ['pipe', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const exited = once(child, 'exit')
  const end = async (name: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(name)
    await exited
  }
  onTestFinished(() => end('SIGKILL'))
  const lines = createInterface({ input: child.stdout })
  const first = await Promise.race([once(lines, 'line'), exited.then(() => null)])
  if (first === null) throw new Error(`The server ended before it served. Its stderr:\n${stderr}`)
  const { url, token } = JSON.parse(String(first[0])) as { url: string; token: string }
  const carrel = connect({ url, token, timing: TIMING })
  return {
    pid: child.pid ?? 0,
    url,
    token,
    carrel,
    stderr: () => stderr,
    session: (options = {}) => createTestSession(carrel, { ...options, folder: options.folder ?? testFolder.work() }),
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    signal: (name) => void child.kill(name),
  }
}

/** A folder that a server sees at the path of another one, as if both were on disks of their own. */
export interface Disk {
  readonly from: string
  readonly at: string
}

/** Returns the reason why servers cannot have disks of their own here; null where they can. */
export const noDisks = (): string | null =>
  spawnSync('unshare', ['--mount', 'true']).status === 0 ? null : 'Mount namespaces need Linux and the user root.'

/** Returns a command that sees this disk, in a mount namespace of its own; unchanged without one. */
function withDisk(disk: Disk | null, command: readonly [string, ...string[]]): readonly [string, ...string[]] {
  if (disk === null) return command
  const mount = 'mount --bind "$0" "$1" && shift && exec "$@"'
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', mount, disk.from, disk.at, ...command]
}

/** Returns the pids of this test folder's agents and of their children. */
export const running = (testFolder: TestFolder): number[] => agentProcesses(testFolder.root)

/** Kills every agent of this test folder and all its children with `kill -9`. */
export function killAgents(testFolder: TestFolder): void {
  for (const pid of running(testFolder)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // The signal to an earlier process has killed this one too: agents die as a tree.
    }
  }
}
