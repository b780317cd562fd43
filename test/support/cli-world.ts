import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { runCli } from '../../src/faces/cli/main.ts'
import type { World as CommandWorld } from '../../src/faces/cli/terminal.ts'
import { BUILT } from './built.ts'

/** The built command, as an installed package starts it. */
const COMMAND = fileURLToPath(new URL('main.js', BUILT))

/** The real command as a child process: its output so far and its end. */
export interface Running {
  readonly child: ChildProcess
  stdout(): string
  stderr(): string
  /** Waits for a match in stdout or stderr. Rejects when the process ends without one. */
  until(pattern: RegExp): Promise<RegExpExecArray>
  readonly ended: Promise<Ended>
}

export interface Ended {
  readonly exit: number | null
  readonly stdout: string
  readonly stderr: string
  /** Parses stdout as one JSON document. */
  // biome-ignore lint/suspicious/noExplicitAny: tests check at what they expect
  json(): any
  /** Parses stdout as JSON lines. */
  // biome-ignore lint/suspicious/noExplicitAny: tests check at what they expect
  lines(): any[]
}

interface Beginning {
  readonly cwd?: string
  readonly env?: Record<string, string>
  readonly input?: string
  /** Open files that the child inherits, as descriptors from 40 on: Node itself manages the lower ones. */
  readonly inherits?: readonly number[]
}

export interface CliWorld {
  readonly data: string
  /** Creates a folder for a Space; the name must be free. */
  folder(name: string): string
  /** Starts the command as a process, for tests about signals, its run time or its open files. */
  start(args: readonly string[], options?: Beginning): Running
  /** Runs the command in this process, through the same entry point as the real one. */
  carrel(args: readonly string[], options?: Beginning): Promise<Ended>
  /** Starts `carrel serve` on a free port. */
  serve(
    env?: Record<string, string>,
  ): Promise<{ url: string; loginUrl: string; stop(signal?: NodeJS.Signals): Promise<Ended> }>
  close(): Promise<void>
}

/** Opens a home and a data folder, isolated from everything else on this machine. */
export function openCliWorld(): CliWorld {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'carrel-cli-')))
  const data = join(top, 'data')
  const home = join(top, 'home')
  mkdirSync(home)
  const children = new Set<Running>()
  const PATH = process.env.PATH ?? ''
  const base = { PATH, HOME: home, CARREL_DATA_FOLDER: data, CARREL_OUTLIVE_MS: '0' }
  const compiled = { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '' }
  const start: CliWorld['start'] = (args, { cwd = home, env = {}, input, inherits = [] } = {}) => {
    const running = watch(
      spawn(process.execPath, [COMMAND, ...args], {
        cwd,
        env: { ...base, ...compiled, ...env },
        stdio: ['pipe', 'pipe', 'pipe', ...Array<'ignore'>(37).fill('ignore'), ...inherits],
      }),
    )
    running.child.stdin?.end(input ?? '')
    children.add(running)
    return running
  }
  return {
    data,
    folder(name) {
      const path = join(top, name)
      mkdirSync(path)
      return path
    },
    start,
    carrel: (args, { cwd = home, env = {}, input = '' } = {}) =>
      runHere(args, { cwd, home, env: { ...base, ...env } }, input),
    async serve(env = {}) {
      const running = start(['serve', '--port', '0', '--json', '--no-web'], { env })
      const [line] = await running.until(/^\{.*\}$/m)
      const stop = (signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> => {
        running.child.kill(signal)
        return running.ended
      }
      return { ...JSON.parse(line), stop }
    },
    async close() {
      for (const { child, ended } of children) {
        child.kill('SIGKILL')
        await ended
      }
      rmSync(top, { recursive: true, force: true })
    },
  }
}

/** Runs a command to its end in this process. */
async function runHere(
  args: readonly string[],
  { cwd, home, env }: Pick<CommandWorld, 'cwd' | 'home' | 'env'>,
  input: string,
): Promise<Ended> {
  const [stdout, stderr] = [new TextSink(), new TextSink()]
  const streams = { stdin: Readable.from([input]), stdout, stderr } as unknown as CommandWorld
  const exit = await runCli(args, { ...streams, cwd, home, env, now: Date.now, onUnread: () => undefined })
  return toEnded(exit, stdout.text, stderr.text)
}

/** A writable stream that collects its input as text. */
class TextSink extends Writable {
  text = ''
  override _write(chunk: Buffer | string, _encoding: string, done: () => void): void {
    this.text += chunk
    done()
  }
}

function toEnded(exit: number | null, stdout: string, stderr: string): Ended {
  const lines = () =>
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  return { exit, stdout, stderr, json: () => JSON.parse(stdout), lines }
}

/** Collects the output of a child. */
export function watch(child: ChildProcess): Running {
  let stdout = ''
  let stderr = ''
  const listeners = new Set<() => void>()
  const changed = (): void => {
    for (const listener of [...listeners]) listener()
  }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    changed()
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    changed()
  })
  let over = false
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (exit) => {
      over = true
      changed()
      resolve(toEnded(exit, stdout, stderr))
    })
  })
  const until = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const found = pattern.exec(stdout) ?? pattern.exec(stderr)
        if (!found && !over) return
        listeners.delete(check)
        if (found) resolve(found)
        else reject(new Error(`The process ended without output that matches ${pattern}:\n${stdout}\n${stderr}`))
      }
      listeners.add(check)
      check()
    })
  return { child, stdout: () => stdout, stderr: () => stderr, until, ended }
}

/** Builds a prompt with steps for the scripted agent. */
export const script = (...steps: Record<string, unknown>[]): string => `@@do ${JSON.stringify(steps)} @@end`
