import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { Carrel } from '../../src/api/index.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { type Overrides, openEngine } from '../../src/engine/open.ts'
import type { Config } from '../../src/model/settings/config.ts'
import type { Caller } from '../../src/model/tree.ts'
import { BUILT } from './built.ts'
import { createTestSession, type SessionOptions, type TestSession } from './carrel-session.ts'

export const ADA: Caller = { name: 'ada', kind: 'person', face: 'web', workspaces: null }
export const BOB: Caller = { name: 'bob', kind: 'person', face: 'cli', workspaces: null }

/** A folder for one test with data, a home and working folders. Removed at the end of the test. */
export interface TestFolder {
  readonly root: string
  readonly dataFolder: string
  readonly home: string
  /** The environment of the servers of this test. */
  readonly env: Readonly<Record<string, string>>
  /** Creates a new working folder. */
  work(name?: string): string
}

/** Registers a clean-up for the end of a test or of a file. */
export type AtEnd = (ending: () => void | Promise<void>) => void

export function makeTestFolder(more: Readonly<Record<string, string>> = {}, atEnd: AtEnd = onTestFinished): TestFolder {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'carrel-story-')))
  atEnd(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }))
  const home = join(root, 'home')
  mkdirSync(home)
  let made = 0
  return {
    root,
    dataFolder: join(root, 'data'),
    home,
    env: {
      PATH: process.env.PATH ?? '',
      // All servers share one cache: compiling the sources for each test would take half of the suite's time.
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '',
      HOME: home,
      CARREL_SCRIPTED_HOME: join(root, 'memory'),
      LANG: 'C.UTF-8',
      ...more,
    },
    work(name) {
      made += 1
      const folder = join(root, 'work', name ?? `place-${made}`)
      mkdirSync(folder, { recursive: true })
      return folder
    },
  }
}

/** An engine in this process with everything that a test needs around it. Closed at the end of the test. */
export interface World extends TestFolder {
  readonly engine: Engine
  readonly carrel: Carrel
  /** The workspace of this test; `session` creates its sessions here. */
  readonly workspace: string
  as(caller: Caller): Carrel
  /** Creates a session; `carrel` reaches it through another face. */
  session(options?: Partial<SessionOptions> & { carrel?: Carrel }): Promise<TestSession>
  /** Stops the engine cleanly and starts it again on the same data. */
  restart(settings?: Partial<Config>): Promise<void>
  /** Returns the pids of running agents and of their children. */
  processes(): number[]
}

export async function openWorld(
  settings: Partial<Config> = {},
  overrides: Overrides = {},
  testFolder: TestFolder = makeTestFolder(),
  atEnd: AtEnd = onTestFinished,
): Promise<World> {
  const { dataFolder, home } = testFolder
  const open = (more: Partial<Config> = {}) =>
    openEngine(
      { logLevel: 'silent', outliveMs: 0, historyWaitMs: 60_000, ...settings, ...more, dataFolder },
      { env: testFolder.env, home, ...overrides },
    )
  let engine = await open()
  atEnd(async () => await engine.close())
  return {
    ...testFolder,
    workspace: 'default',
    get engine() {
      return engine
    },
    get carrel() {
      return engine.carrelFor(ADA)
    },
    as: (caller) => engine.carrelFor(caller),
    session: (options = {}) =>
      createTestSession(options.carrel ?? engine.carrelFor(ADA), {
        ...options,
        folder: options.folder ?? testFolder.work(),
      }),
    async restart(more) {
      await engine.close()
      engine = await open(more)
    },
    processes: () => agentProcesses(testFolder.root),
  }
}

/** Builds settings of another scripted agent, for example one with quirks or one whose process several runs share. */
export function scriptedAgent(id: string, more: Partial<Config['agents'][number]> = {}): Config['agents'][number] {
  const main = fileURLToPath(new URL('scripted-agent.js', BUILT))
  const env = { NODE_NO_WARNINGS: '1', ...more.env }
  return { name: id, command: process.execPath, args: [main], passEnv: ['CARREL_SCRIPTED_HOME'], ...more, env, id }
}

/** An agent without an SDK; `test/fixtures/raw-agent.mjs` lists its flags and cases. */
export function rawAgent(id: string, flags: readonly string[] = []): Config['agents'][number] {
  const main = fileURLToPath(new URL('../fixtures/raw-agent.mjs', import.meta.url))
  return { name: id, command: process.execPath, args: [main, ...flags], id }
}

/** Returns the pids of this test's agents: their environment has the mark of a process tree and the test's folder. */
export function agentProcesses(root: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'latin1')
        return environment.includes(root) && environment.includes('CARREL_TREE=')
      } catch {
        return false
      }
    })
    .map(Number)
}
