import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Server in a process of its own, as in production. */
export interface Child {
  readonly pid: number
  /** First message of the process: its addresses. */
  readonly hello: Record<string, string>
  /** Sends a request over the IPC channel, beside the network. */
  ask<Reply>(question: string, more?: Record<string, unknown>): Promise<Reply>
  stop(): Promise<void>
}

const running = new Set<ChildProcess>()
const folders = new Set<string>()

/** A folder for this run only. */
export function tempFolder(name: string): string {
  const path = mkdtempSync(join(tmpdir(), `carrel-bench-${name}-`))
  folders.add(path)
  return path
}

export function dropFolder(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  folders.delete(path)
}

/** Remembers a process until it ends, so that none outlives the bench. Resolves when it has ended. */
export function track(child: ChildProcess): Promise<void> {
  running.add(child)
  return new Promise((resolve) => {
    child.once('exit', () => {
      running.delete(child)
      resolve()
    })
  })
}

/** Starts `module` and waits for its first message. */
export async function start(module: URL, settings: object, execArgv: readonly string[] = []): Promise<Child> {
  const profile = process.env.BENCH_PROFILE
  const child = fork(module, [JSON.stringify(settings)], {
    execArgv: [...execArgv, ...(profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [])],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const exited = track(child)
  const hello = await new Promise<Record<string, string>>((resolve, reject) => {
    child.once('message', (message) => resolve(message as Record<string, string>))
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${module.pathname} ended with ${code} before it listened.`)))
  })
  let count = 0
  return {
    pid: child.pid ?? 0,
    hello,
    ask: (question, more) =>
      new Promise((resolve, reject) => {
        count += 1
        const id = count
        const take = (message: unknown) => {
          const { id: answered, reply, error } = message as { id: number; reply: unknown; error?: string }
          if (answered !== id) return
          child.off('message', take)
          if (error === undefined) resolve(reply as never)
          else reject(new Error(error))
        }
        child.on('message', take)
        child.send({ id, question, ...more })
      }),
    async stop() {
      if (child.connected) child.disconnect()
      const impatient = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await exited
      clearTimeout(impatient)
    },
  }
}

/** Removes all processes and folders of the benchmark, also after an interruption. */
export function cleanUp(): void {
  for (const child of running) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}
