import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { BrowserNote } from '../../model/browser.ts'
import { CarrelError } from '../../model/errors.ts'
import { absentAsNullSync } from '../../primitives/absent-as-null.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { programFile } from '../../primitives/programs.ts'
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
import { killTree, removeEntry } from '../process/ledger.ts'
import type { Exit } from '../process/process.ts'
import { enclose, type Sandbox, WAY_OUT } from '../sandbox/enclose.ts'
import { AT_DOOR, doorInside } from './door.ts'
import { gateFolder, type Hold, holdGate, OWN, READY, TAKEN } from './gate-talk.ts'

export interface BrowserLaunch {
  readonly program: string
  readonly note: BrowserNote
  /** A browser reads and writes files too. Null for nothing around it. In a strict one it is driven at the door of its conversation. */
  readonly sandbox: Sandbox | null
  /** Hears of each host and port that a strict sandbox did not let it through to. */
  readonly stopped: (target: string) => void
  /** Stands before the command, to start inside the view of a place. */
  readonly enter: readonly string[]
  /** Complete, but for the folders that are the browser's own. */
  readonly env: Readonly<Record<string, string>>
  /** It takes nothing of its agent until this server has held it and let go. */
  readonly held: boolean
  /** How long it goes on without a server. ms. */
  readonly graceMs: number
  readonly signal: AbortSignal
}

/** Where all browsers of this data folder are, and how processes are kept here. */
export interface BrowserGround {
  readonly folder: string
  readonly ledger: string
  readonly containment: Containment
  readonly compiled: string | null
  readonly now: () => number
}

export interface RunningBrowser {
  readonly note: BrowserNote
  /** The path of a unix socket where it answers as at its port, HTTP and WebSockets, whoever holds it. */
  readonly own: string
  /**
   * Nothing that the agent sends reaches it any more: it waits, and is answered after the release. What is under way in
   * the browser goes on. Lasts until it is released, or this server or the browser ends. @throws gone when it has ended
   */
  hold(): Promise<Hold>
  /** Resolves when all of it has ended. Never rejects. */
  readonly exited: Promise<Exit>
  /** Ends it; nothing of it runs or lies on the disk any more. Repeatable, never rejects. */
  end(): Promise<void>
  /** Lets it go on without this server. */
  leave(): void
}

/** Another program has the port: one that is tried with another number. */
export class PortIsTaken extends Error {}

const NOTE = 'browser.json'
const START_MS = 30_000
const LOOK_MS = 15
/** Where its gate makes its sockets, within walls. */
const SOCKETS = '/run/carrel-gate'
const gateFile = () => fileURLToPath(programFile('gate', new URL('./gate.ts', import.meta.url)))

/**
 * Starts a browser of its own profile under a keeper, so that it outlives the server as its agent does, and waits until
 * it can be driven at its port on the loopback. When this rejects, nothing of it is left.
 *
 * @throws PortIsTaken; unavailable with the reason when it does not come up, or `signal` fires
 */
export async function startBrowser(launch: BrowserLaunch, ground: BrowserGround): Promise<RunningBrowser> {
  const keeper = newKeeper()
  const folder = join(ground.folder, keeper)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  // Before anything runs: a browser that nobody knows is ended at the next start.
  writeFileSync(join(folder, NOTE), JSON.stringify(launch.note), { mode: 0o600 })
  let tree: KeptTree | null = null
  try {
    await compile(ground)
    const { containment, env, profile, sockets, proxy } = await environmentOf(launch, ground, keeper)
    const at = proxy ? AT_DOOR : String(launch.note.port)
    const browser = [launch.program, ...flags(launch), `--user-data-dir=${profile}`, 'about:blank']
    const kept = {
      command: process.execPath,
      args: [...LEAN, gateFile(), at, sockets, launch.held ? 'held' : 'open', ...browser],
      cwd: '/',
      enter: launch.enter,
      env: { ...env, ...compiledFor(ground) },
      label: `browser of ${launch.note.run}`,
      stderrPath: null,
      limits: { graceMs: launch.graceMs, deadlineAt: null },
      proxy,
    }
    tree = await startKeeper(kept, optionsOf({ ...ground, containment }), keeper)
    tree.listen(hears(launch.stopped))
    await untilReady(tree, launch)
    return runningOf(tree, launch.note, ground)
  } catch (thrown) {
    await tree?.kill()
    await forget(ground, keeper)
    if (thrown instanceof CarrelError || thrown instanceof PortIsTaken) throw thrown
    const why = messageOf(thrown)
    throw new CarrelError('unavailable', `The browser ${launch.program} did not start: ${why}`, undefined, thrown)
  }
}

/** Takes up with a browser of an earlier life of the server; null when it has ended. Nothing of it is left then. */
export async function resumeBrowser(
  outlived: Outlived,
  ground: BrowserGround,
  stopped: BrowserLaunch['stopped'] = () => undefined,
): Promise<RunningBrowser | null> {
  const tree = await attachKeeper(outlived.keeper, optionsOf(ground))
  if (tree === null) {
    await buryBrowser(outlived, ground)
    return null
  }
  tree.listen(hears(stopped))
  return runningOf(tree, outlived.note, ground)
}

/** A browser that an earlier life of the server left, running or not. */
export interface Outlived {
  readonly keeper: string
  readonly note: BrowserNote
  /** What of it may run: its keeper's tree and its own. */
  readonly trees: Pick<Awaited<ReturnType<typeof findKeepers>>[number]['note'], 'keeper' | 'agent'>
}

/** Browsers that earlier lives left, as far as their owners are known. */
export async function findBrowsers({ folder }: Pick<BrowserGround, 'folder'>): Promise<Outlived[]> {
  const found = await findKeepers(folder)
  return found.flatMap(({ keeper, note: trees }) => {
    const note = readNote(join(folder, keeper))
    return note ? [{ keeper, note, trees }] : []
  })
}

/** Takes everything off the disk but these. Once nothing of the others runs. */
export async function dropOthers({ folder }: Pick<BrowserGround, 'folder'>, kept: readonly Outlived[]): Promise<void> {
  await dropOtherKeepers(folder, new Set(kept.map(({ keeper }) => keeper)))
}

/** Ends what is left of a browser and takes it off the disk. Safe to repeat. */
export async function buryBrowser({ keeper, trees }: Outlived, ground: BrowserGround): Promise<void> {
  await Promise.all([trees.agent, trees.keeper].map(({ tree, identity }) => killTree(tree, identity)))
  await forget(ground, keeper)
}

/** Only once nothing of it runs: by the ledger it is found again. */
async function forget(ground: BrowserGround, keeper: string): Promise<void> {
  await dropKeeper(ground.folder, keeper)
  removeEntry(ground.ledger, keeper)
}

function runningOf(tree: KeptTree, note: BrowserNote, ground: BrowserGround): RunningBrowser {
  const folder = join(ground.folder, tree.keeper)
  let ending: Promise<void> | null = null
  return {
    note,
    own: join(gateFolder(folder), OWN),
    hold: () =>
      holdGate(folder).catch((thrown) => {
        throw new CarrelError('gone', 'The browser of this run has ended.', undefined, thrown)
      }),
    exited: tree.exited,
    end() {
      ending ??= tree
        .kill()
        .then(() => forget(ground, tree.keeper))
        .catch(() => undefined)
      return ending
    },
    leave: tree.leave,
  }
}

/** Gates only read what Node compiled, since within walls they may not write there: so it is made before the first. */
async function compile(ground: BrowserGround): Promise<void> {
  if (ground.compiled === null || compiledIn.has(ground.compiled)) return
  compiledIn.add(ground.compiled)
  await promisify(execFile)(process.execPath, [...LEAN, gateFile()], { env: compiledFor(ground) }).catch(
    () => undefined,
  )
}
const compiledIn = new Set<string>()

const compiledFor = ({ compiled }: BrowserGround): Record<string, string> =>
  compiled === null ? {} : { NODE_NO_WARNINGS: '1', NODE_COMPILE_CACHE: compiled }

const optionsOf = ({ folder, ledger, containment, compiled, now }: BrowserGround): KeeperOptions => ({
  keepers: folder,
  ledger,
  containment,
  compiled,
  now,
  maxFrameBytes: 1 << 20,
})

/** What a browser prints is for nobody, and what it wants for itself neither: whole ones call home whatever they are told. */
const hears = (stopped: BrowserLaunch['stopped']): KeptListener => ({
  frame: () => undefined,
  replayed: () => undefined,
  tooLarge: () => undefined,
  reached: () => undefined,
  stopped: (target) => void (CALLS_HOME.test(target) || stopped(target)),
})
const CALLS_HOME =
  /^((clients\d|accounts|android\.clients)\.google|(update|optimizationguide-pa|safebrowsing|content-autofill)\.googleapis|(edgedl\.me|redirector)\.gvt1)\.com:/

/** Folders of its own, and what keeps it together or in its sandbox. */
async function environmentOf({ sandbox, env, note }: BrowserLaunch, ground: BrowserGround, keeper: string) {
  const folder = join(ground.folder, keeper)
  const sockets = gateFolder(folder)
  mkdirSync(sockets, { mode: 0o700 })
  if (sandbox === null) {
    const home = join(folder, 'home')
    mkdirSync(home, { mode: 0o700 })
    const own = { HOME: home, ...(await makeTemporary(temporaryOf(ground.folder, keeper))) }
    return {
      containment: ground.containment,
      env: { ...env, ...own },
      profile: join(folder, 'profile'),
      sockets,
      proxy: null,
    }
  }
  // In there `/tmp` is a folder of the keeper's, and goes with it.
  const door = sandbox.mode === 'strict' ? doorInside(ground.folder, note).shows : []
  const shows = [...(door ?? []), { path: SOCKETS, from: sockets, may: 'write' } as const]
  const enclosed = await enclose({ ...sandbox, shows }, folder, { ...env, HOME: '/tmp' })
  return { ...enclosed, profile: '/tmp/profile', sockets: SOCKETS }
}

/** Nothing that calls home or asks questions; no wall of its own where it stands in one, or where root may build none. */
function flags({ sandbox }: BrowserLaunch): string[] {
  const walled = sandbox !== null || process.getuid?.() === 0
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
    ...(walled ? ['--no-sandbox'] : []),
    // Its own loopback too: nobody is there whom a page should reach.
    ...(sandbox?.mode === 'strict' ? [`--proxy-server=${WAY_OUT}`, '--proxy-bypass-list=<-loopback>'] : []),
  ]
}

/** Its gate says itself that it listens: an answer at the port could be somebody else's. */
async function untilReady(tree: KeptTree, { note, signal }: BrowserLaunch): Promise<void> {
  const deadline = performance.now() + START_MS
  let exit: Exit | null = null
  void tree.exited.then((ended) => {
    exit = ended
  })
  for (;;) {
    const said = tree.stderrTail()
    if (said.includes(READY)) return
    if (said.includes(TAKEN)) throw new PortIsTaken(`port ${note.port} is taken`)
    if (exit !== null) throw new Error(whyEnded(exit, said))
    if (signal.aborted) throw new CarrelError('unavailable', 'The start of a browser was called off.')
    if (performance.now() > deadline) throw new Error(`it could not be driven within ${START_MS / 1000} s.`)
    await pause(LOOK_MS)
  }
}

function whyEnded({ code, signal }: Exit, said: string): string {
  if (/No usable sandbox/.test(said))
    return 'this machine lets it make no sandbox of its own. Allow user namespaces, use the sandbox guard, or name a script in browserCommand that adds --no-sandbox.'
  const last = said.trim().split('\n').at(-1)?.slice(0, 300) ?? ''
  return `it ended at once (${signal ?? `exit code ${code}`}). ${last}`
}

function readNote(folder: string): BrowserNote | null {
  const text = absentAsNullSync(() => readFileSync(join(folder, NOTE), 'utf8'))
  if (text === null) return null
  try {
    return BrowserNote.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}
