import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { BrowserNote } from '../../model/browser.ts'
import { CarrelError } from '../../model/errors.ts'
import { absentAsNullSync } from '../../primitives/absent-as-null.ts'
import { parseJson } from '../../primitives/json.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { programFile } from '../../primitives/programs.ts'
import { awakeSignal } from '../../primitives/timers.ts'
import { makeTemporary, temporaryOf } from '../identity/temporary.ts'
import {
  attachKeeper,
  dropKeeper,
  dropOthers as dropOtherKeepers,
  findKeepers,
  type KeeperOptions,
  type KeptListener,
  type KeptTree,
  LEAN,
  newKeeper,
  startKeeper,
} from '../keeper/client.ts'
import type { Containment } from '../process/containment.ts'
import { killTree } from '../process/ledger.ts'
import type { Exit } from '../process/process.ts'
import { enclose, type SandboxSpec, WAY_OUT } from '../sandbox/enclose.ts'
import { browserDoor, DOOR_SOCKET } from './door.ts'
import { gateFolder, type Hold, holdGate, OWN, READY, TAKEN } from './gate-talk.ts'

export interface BrowserLaunch {
  readonly program: string
  readonly note: BrowserNote
  /** Sandbox of the browser; null for none. A strict one opens no port here: the agent has a door to the browser. */
  readonly sandbox: SandboxSpec | null
  /** Receives each `host:port` that a strict sandbox blocks, once for each attempt. */
  readonly onBlocked: (target: string) => void
  /** Prefix of the command: enters the mount namespace of a place. */
  readonly enter: readonly string[]
  /** The whole environment, without the browser's own folders. */
  readonly env: Readonly<Record<string, string>>
  /** Whether the gate passes on no command of the agent until this server has held and released it. */
  readonly held: boolean
  /** How long the browser runs on without a server. ms. */
  readonly graceMs: number
  readonly signal: AbortSignal
}

/** Everything that browsers of one data folder share: folders, containment and clock. */
export interface BrowserRuntime {
  /** Folder of all browsers. */
  readonly folder: string
  readonly ledger: string
  readonly containment: Containment
  /** Compile cache of Node; null for none. */
  readonly compiled: string | null
  /** ms since 1970. */
  readonly now: () => number
}

/** A running browser under its keeper. */
export interface BrowserProcess {
  readonly note: BrowserNote
  /** Path of a unix socket that answers as the CDP port does, HTTP and WebSockets. No hold blocks it. */
  readonly directSocket: string
  /**
   * Pauses the agent: its commands wait and are passed on after the release. Commands already under way complete.
   * Lasts until released, or until this server or the browser ends. @throws gone when the browser has ended
   */
  hold(): Promise<Hold>
  /** Resolves when the whole process tree has ended. Never rejects. */
  readonly exited: Promise<Exit>
  /** Ends the browser and removes its files. Idempotent, never rejects. */
  end(): Promise<void>
  /** Disconnects; the browser runs on without this server. */
  leave(): void
}

/** Another program listens at the port. The caller tries the next one. */
export class PortIsTaken extends Error {}

const NOTE = 'browser.json'
const START_MS = 30_000
const POLL_MS = 15
/** Folder of the gate's sockets, as seen inside the sandbox. */
const SOCKETS = '/run/carrel-gate'
const gateFile = () => fileURLToPath(programFile('gate', new URL('./gate.ts', import.meta.url)))

/**
 * Starts a browser with a profile of its own and waits until CDP answers at its loopback port. A keeper holds the
 * browser, which therefore survives a restart of the server, as its agent does. Leaves nothing behind when it rejects.
 * @throws PortIsTaken; unavailable with the reason when the browser does not start, or `signal` fires
 */
export async function startBrowser(launch: BrowserLaunch, runtime: BrowserRuntime): Promise<BrowserProcess> {
  const keeper = newKeeper()
  const folder = join(runtime.folder, keeper)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  // Written before the process starts: the next server ends a browser that has no note.
  writeFileSync(join(folder, NOTE), JSON.stringify(launch.note), { mode: 0o600 })
  let tree: KeptTree | null = null
  try {
    await compile(runtime)
    const { containment, env, profile, sockets, proxy } = await confine(launch, runtime, keeper)
    const at = proxy ? DOOR_SOCKET : String(launch.note.port)
    const browser = [launch.program, ...flags(launch), `--user-data-dir=${profile}`, 'about:blank']
    const kept = {
      command: process.execPath,
      args: [...LEAN, gateFile(), at, sockets, launch.held ? 'held' : 'open', ...browser],
      cwd: '/',
      enter: launch.enter,
      env: { ...env, ...compiledFor(runtime) },
      label: `browser of ${launch.note.run}`,
      stderrPath: null,
      limits: { graceMs: launch.graceMs, deadlineAt: null },
      proxy,
    }
    tree = await startKeeper(kept, optionsOf({ ...runtime, containment }), keeper)
    tree.listen(listenerFor(launch.onBlocked))
    await untilReady(tree, launch)
    return processOf(tree, launch.note, runtime)
  } catch (thrown) {
    await tree?.kill()
    await forget(runtime, keeper)
    if (thrown instanceof CarrelError || thrown instanceof PortIsTaken) throw thrown
    const why = messageOf(thrown)
    throw new CarrelError('unavailable', `The browser ${launch.program} did not start: ${why}`, undefined, thrown)
  }
}

/** A browser that an earlier server left behind, running or not. */
export interface SurvivingBrowser {
  readonly keeper: string
  readonly note: BrowserNote
  /** Process trees that may still run: its keeper's and its own. */
  readonly trees: Pick<Awaited<ReturnType<typeof findKeepers>>[number]['note'], 'keeper' | 'agent'>
}

/**
 * Reconnects to a browser of an earlier server. Returns null, and removes its files, when it has ended.
 * @throws the error that prevents the connection, after the end of the browser: no process is left without an owner (P1)
 */
export async function resumeBrowser(
  surviving: SurvivingBrowser,
  runtime: BrowserRuntime,
  onBlocked: BrowserLaunch['onBlocked'] = () => undefined,
): Promise<BrowserProcess | null> {
  const tree = await attachKeeper(surviving.keeper, optionsOf(runtime)).catch(async (thrown) => {
    await removeBrowser(surviving, runtime)
    throw thrown
  })
  if (tree === null) {
    await removeBrowser(surviving, runtime)
    return null
  }
  tree.listen(listenerFor(onBlocked))
  return processOf(tree, surviving.note, runtime)
}

/** Lists the browsers of earlier servers whose owners are known. */
export async function findBrowsers({ folder }: Pick<BrowserRuntime, 'folder'>): Promise<SurvivingBrowser[]> {
  const found = await findKeepers(folder)
  return found.flatMap(({ keeper, note: trees }) => {
    const note = readNote(join(folder, keeper))
    return note ? [{ keeper, note, trees }] : []
  })
}

/** Removes the files of all browsers but `kept`. The caller has ended their processes before. */
export async function dropOthers(
  { folder: keepers, ledger }: Pick<BrowserRuntime, 'folder' | 'ledger'>,
  kept: readonly SurvivingBrowser[],
): Promise<void> {
  await dropOtherKeepers({ keepers, ledger }, new Set(kept.map(({ keeper }) => keeper)))
}

/** Kills the processes of a browser and removes its files. Idempotent. */
export async function removeBrowser({ keeper, trees }: SurvivingBrowser, runtime: BrowserRuntime): Promise<void> {
  await Promise.all([trees.agent, trees.keeper].map(({ tree, identity }) => killTree(tree, identity)))
  await forget(runtime, keeper)
}

/** Removes the files of a browser whose processes have ended. */
async function forget({ folder, ledger }: BrowserRuntime, keeper: string): Promise<void> {
  await dropKeeper({ keepers: folder, ledger }, keeper)
}

function processOf(tree: KeptTree, note: BrowserNote, runtime: BrowserRuntime): BrowserProcess {
  const folder = join(runtime.folder, tree.keeper)
  let ending: Promise<void> | null = null
  return {
    note,
    directSocket: join(gateFolder(folder), OWN),
    hold: () =>
      holdGate(folder).catch((thrown) => {
        throw new CarrelError('gone', 'The browser of this run has ended.', undefined, thrown)
      }),
    exited: tree.exited,
    end() {
      ending ??= tree
        .kill()
        .then(() => forget(runtime, tree.keeper))
        .catch(() => undefined)
      return ending
    },
    leave: tree.leave,
  }
}

/** Fills the compile cache before the first start: a gate inside a sandbox may read the cache and not write to it. */
async function compile(runtime: BrowserRuntime): Promise<void> {
  if (runtime.compiled === null || compiledCaches.has(runtime.compiled)) return
  compiledCaches.add(runtime.compiled)
  await promisify(execFile)(process.execPath, [...LEAN, gateFile()], { env: compiledFor(runtime) }).catch(
    () => undefined,
  )
}
const compiledCaches = new Set<string>()

const compiledFor = ({ compiled }: BrowserRuntime): Record<string, string> =>
  compiled === null ? {} : { NODE_NO_WARNINGS: '1', NODE_COMPILE_CACHE: compiled }

const optionsOf = ({ folder, ledger, containment, compiled, now }: BrowserRuntime): KeeperOptions => ({
  keepers: folder,
  ledger,
  containment,
  compiled,
  now,
  maxFrameBytes: 1 << 20,
})

/** Reports blocked targets, but for those that full browsers contact on their own, whatever flags they get. */
const listenerFor = (onBlocked: BrowserLaunch['onBlocked']): KeptListener => ({
  frame: () => undefined,
  replayed: () => undefined,
  tooLarge: () => undefined,
  reached: () => undefined,
  stopped: (target) => void (CALLS_HOME.test(target) || onBlocked(target)),
})
const CALLS_HOME =
  /^((clients\d|accounts|android\.clients)\.google|(update|optimizationguide-pa|safebrowsing|content-autofill)\.googleapis|(edgedl\.me|redirector)\.gvt1)\.com:/

/** Creates the browser's own folders and, where it has a sandbox, encloses it. */
async function confine({ sandbox, env, note }: BrowserLaunch, runtime: BrowserRuntime, keeper: string) {
  const folder = join(runtime.folder, keeper)
  const sockets = gateFolder(folder)
  mkdirSync(sockets, { mode: 0o700 })
  if (sandbox === null) {
    const home = join(folder, 'home')
    mkdirSync(home, { mode: 0o700 })
    const own = { HOME: home, ...(await makeTemporary(temporaryOf(runtime.folder, keeper))) }
    const profile = join(folder, 'profile')
    return { containment: runtime.containment, env: { ...env, ...own }, profile, sockets, proxy: null }
  }
  // Inside the sandbox `/tmp` is a folder of the keeper, which is removed with it.
  const door = sandbox.mode === 'strict' ? browserDoor(runtime.folder, note).shows : []
  const shows = [...(door ?? []), { path: SOCKETS, from: sockets, may: 'write' } as const]
  const enclosed = await enclose({ ...sandbox, shows }, folder, { ...env, HOME: '/tmp' })
  return { ...enclosed, profile: '/tmp/profile', sockets: SOCKETS }
}

/** Turns off background requests and first-run questions. Chromium's own sandbox works neither inside ours nor for root. */
function flags({ sandbox }: BrowserLaunch): string[] {
  const noSandbox = sandbox !== null || process.getuid?.() === 0
  return [
    '--headless',
    '--no-first-run',
    '--no-default-browser-check',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-component-extensions-with-background-pages',
    '--disable-default-apps',
    '--disable-extensions',
    '--disable-features=OptimizationHints,MediaRouter,Translate',
    '--disable-sync',
    '--disable-dev-shm-usage',
    '--password-store=basic',
    '--use-mock-keychain',
    '--mute-audio',
    '--window-size=1280,800',
    ...(noSandbox ? ['--no-sandbox'] : []),
    // The loopback goes through the proxy too: no page has business with services inside the sandbox.
    ...(sandbox?.mode === 'strict' ? [`--proxy-server=${WAY_OUT}`, '--proxy-bypass-list=<-loopback>'] : []),
  ]
}

/** Waits for the gate's own line on stderr: an answer at the port might come from another program. */
async function untilReady(tree: KeptTree, { note, signal }: BrowserLaunch): Promise<void> {
  const late = awakeSignal(START_MS)
  let exit: Exit | null = null
  void tree.exited.then((ended) => {
    exit = ended
  })
  for (;;) {
    const output = tree.stderrTail()
    if (output.includes(READY)) return
    if (output.includes(TAKEN)) throw new PortIsTaken(`port ${note.port} is taken`)
    if (exit !== null) throw new Error(reasonOf(exit, output))
    if (signal.aborted) throw new CarrelError('unavailable', 'The start of a browser was cancelled.')
    if (late.aborted) throw new Error(`CDP did not answer within ${START_MS / 1000} s.`)
    await pause(POLL_MS)
  }
}

function reasonOf({ code, signal }: Exit, output: string): string {
  if (/No usable sandbox/.test(output))
    return "this machine allows no sandbox of Chromium's own. Allow user namespaces, use the sandbox guard, or name a script in browserCommand that adds --no-sandbox."
  const last = output.trim().split('\n').at(-1)?.slice(0, 300) ?? ''
  return `it ended at once (${signal ?? `exit code ${code}`}). ${last}`
}

function readNote(folder: string): BrowserNote | null {
  const text = absentAsNullSync(() => readFileSync(join(folder, NOTE), 'utf8'))
  return text === null ? null : (BrowserNote.safeParse(parseJson(text)).data ?? null)
}
