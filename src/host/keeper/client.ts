import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { dirname, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { absentAsNullSync, isPresent } from '../../primitives/absent-as-null.ts'
import { bestEffort } from '../../primitives/best-effort.ts'
import { parseJson } from '../../primitives/json.ts'
import { programFile } from '../../primitives/programs.ts'
import { awakeTimeout } from '../../primitives/timers.ts'
import { type Cgroup, dropCgroup, foldersOf, type LimitReached } from '../cgroups/cgroup.ts'
import { temporaryOf } from '../identity/temporary.ts'
import { bootId, type ProcessRow, processNow, processTable, stillRuns, TREE_VARIABLE } from '../proc-table.ts'
import type { Containment } from '../process/containment.ts'
import { killTree, removeEntry, writeEntry } from '../process/ledger.ts'
import { descendantsOf, killBornAfter, type LiveTree } from '../process/live-tree.ts'
import type { Exit } from '../process/process.ts'
import { proxyPath } from '../sandbox/socket-path.ts'
import { connectTo, KeeperConnection } from './connection.ts'
import { type AgentLimits, gatePath, type KeeperLaunch, type KeeperNote, NOTE, socketPath } from './protocol.ts'
import { type Checkpoint, type Frame, readSpool } from './spool.ts'

/** Process of an agent, held by a keeper that outlives this server. */
export interface KeptTree {
  /** Name of the keeper, by which a later server finds it. */
  readonly keeper: string
  readonly pid: number
  /** Cgroup of the agent; null for none. */
  readonly cgroup: Cgroup | null
  /** Last record of an earlier server; null for a fresh agent. */
  readonly checkpoint: Checkpoint | null
  /** Delivers each frame after the checkpoint once and in order, spooled ones first. Call it once, immediately. */
  listen(listener: KeptListener): void
  /** Writes a frame, which is on disk before the agent receives it. `tag` identifies it later. */
  send(line: string, tag?: string): void
  /** Lets the keeper forget frames up to `upTo`, because they are recorded. */
  mark(checkpoint: Checkpoint): void
  limits(limits: AgentLimits): void
  /** Resolves when the whole tree has ended, also when its keeper died. Never rejects. */
  readonly exited: Promise<Exit>
  stop(grace: { eofMs: number; termMs: number }): Promise<void>
  kill(): Promise<void>
  /** Disconnects. The keeper continues with the agent for as long as its limits allow. */
  leave(): void
  /** Deletes all files of an agent that has ended and is fully recorded. Never rejects. */
  forget(): Promise<void>
  stderrTail(): string
  descendants(filter?: { bornAfterMs?: number }): Promise<ProcessRow[]>
  killDescendantsBornAfter(atMs: number): Promise<number[]>
}

export interface KeptListener {
  frame(frame: Frame): void
  /** Called after the last spooled frame. */
  replayed(): void
  tooLarge(): void
  /** Called when the sandbox blocked a connection to this host and port. */
  stopped(target: string): void
  /** Called when a limit of the cgroup was reached and the agent lives on. */
  reached(reached: LimitReached): void
}

export interface KeeperOptions {
  /** Folder of all keepers. */
  readonly keepers: string
  readonly ledger: string
  readonly containment: Containment
  readonly now: () => number
  /** Folder of Node's compile cache, which saves the keeper memory. */
  readonly compiled: string | null
  readonly maxFrameBytes: number
}

const START_MS = 30_000
/** Time for a keeper to report that its agent has ended. ms. */
const [LAST_ROUNDS, LAST_PAUSE_MS] = [40, 25]
const LATE_MS = 1_500

export const newKeeper = (): string => randomBytes(8).toString('hex')

/** Starts a keeper and its agent. @throws Error with the reason; no process is left then */
export async function startKeeper(
  launch: Omit<KeeperLaunch, 'folder' | 'token' | 'containment' | 'ledger' | 'maxFrameBytes'>,
  options: KeeperOptions,
  keeper = newKeeper(),
): Promise<KeptTree> {
  const folder = join(options.keepers, keeper)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const whole: KeeperLaunch = {
    ...launch,
    folder,
    token: randomBytes(24).toString('base64url'),
    containment: options.containment,
    ledger: options.ledger,
    maxFrameBytes: options.maxFrameBytes,
  }
  try {
    await spawnKeeper(whole, keeper, options)
  } catch (thrown) {
    await killTree(keeper, null)
    if (launch.cgroup) await dropCgroup(foldersOf(launch.cgroup))
    await dropKeeper(options, keeper)
    throw thrown
  }
  const kept = await attachKeeper(keeper, options)
  if (!kept) throw new Error('its keeper ended at once')
  return kept
}

async function spawnKeeper(launch: KeeperLaunch, keeper: string, options: KeeperOptions): Promise<void> {
  writeEntry(options.ledger, { tree: keeper, label: `keeper of ${launch.label}`, bootId: bootId(), identity: null })
  const main = fileURLToPath(programFile('keeper', new URL('./main.ts', import.meta.url)))
  const log = openSync(join(launch.folder, 'keeper.log'), 'a', 0o600)
  const child = spawn(process.execPath, [...LEAN, main], {
    cwd: launch.folder,
    env: {
      NODE_NO_WARNINGS: '1',
      [TREE_VARIABLE]: keeper,
      ...(options.compiled === null ? {} : { NODE_COMPILE_CACHE: options.compiled }),
    },
    detached: true,
    stdio: ['pipe', 'pipe', log],
  }) as ChildProcessByStdio<Writable, Readable, null>
  closeSync(log)
  child.unref()
  const report = new Promise<string>((resolve) => {
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8')
      if (text.includes('\n')) resolve(text.trim())
    })
    child.once('error', (error) => resolve(error.message))
    child.once('exit', () => resolve(text.trim() || 'its keeper ended before it was ready'))
    awakeTimeout(START_MS, () => resolve('its keeper was not ready in time'), { ref: false })
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(JSON.stringify(launch))
  const identity = { pid: child.pid ?? 0, startTicks: processNow(child.pid ?? 0)?.startTicks ?? 0, bootId: bootId() }
  writeEntry(options.ledger, { tree: keeper, label: `keeper of ${launch.label}`, bootId: bootId(), identity })
  const answer = await report
  child.stdout.destroy()
  if (answer !== 'ready') throw new Error(answer)
}

/** Flags for small programs of Carrel such as a keeper: small heaps, collected early. */
export const LEAN = ['--max-old-space-size=96', '--max-semi-space-size=1', '--single-threaded']

/** Connects to a keeper, also one of an earlier server; null when it is gone. */
export async function attachKeeper(keeper: string, options: KeeperOptions): Promise<KeptTree | null> {
  const folder = join(options.keepers, keeper)
  const note = readNote(folder)
  if (!note || !stillRuns(note.keeper.identity, await processTable())) return null
  const socket = await connectTo(socketPath(folder))
  return socket && (await greet(socket, { keeper, folder, note, options }))
}

interface Known {
  readonly keeper: string
  readonly folder: string
  readonly note: KeeperNote
  readonly options: KeeperOptions
}

/**
 * Presents the spool of a keeper that cannot be attached as a tree: its frames, and then its end. Ends keeper and agent
 * first: an agent that works on would do what the log never sees, and frames must not come behind those read. Null
 * without a spool.
 */
export async function openSpooled(keeper: string, options: KeeperOptions): Promise<KeptTree | null> {
  const folder = join(options.keepers, keeper)
  const note = readNote(folder)
  for (const one of note ? [note.keeper, note.agent] : []) await killTree(one.tree, one.identity)
  const left = isPresent(folder) ? readSpool(folder) : null
  if (!left) return null
  const exit = left.exit ?? { code: null, signal: 'SIGKILL', stderrTail: '' }
  const ended = Promise.withResolvers<Exit>()
  return {
    keeper,
    pid: 0,
    cgroup: null,
    checkpoint: left.checkpoint,
    listen(to) {
      for (const frame of left.frames) to.frame(frame)
      to.replayed()
      ended.resolve(exit)
    },
    send: () => undefined,
    mark: () => undefined,
    limits: () => undefined,
    exited: ended.promise,
    stop: async () => undefined,
    kill: async () => undefined,
    leave: () => undefined,
    forget: () => dropKeeper(options, keeper),
    stderrTail: () => exit.stderrTail,
    descendants: async () => [],
    killDescendantsBornAfter: async () => [],
  }
}

async function greet(socket: Socket, known: Known): Promise<KeptTree | null> {
  const exit = Promise.withResolvers<Exit>()
  const connection = new KeeperConnection(socket, known.options.maxFrameBytes, () => {
    // Either both have ended, or the keeper alone died, and its agent is killed now at the latest.
    if (connection.exit) exit.resolve(connection.exit)
    else if (!connection.left)
      void endOf(known).then((forced) => exit.resolve({ ...forced, stderrTail: connection.stderrTail }))
  })
  const welcome = await connection.hello(known.note.token)
  return welcome && keptTree(connection, known, welcome.checkpoint, exit.promise)
}

function keptTree(
  connection: KeeperConnection,
  known: Known,
  checkpoint: Checkpoint | null,
  exited: Promise<Exit>,
): KeptTree {
  const { keeper, note, options } = known
  const { tree, identity } = note.agent
  const live: LiveTree = { tree, identity, depth: options.containment.depth, now: options.now }
  /** Waits for the end. A keeper that does not report it in time is killed, which ends the wait. */
  const ended = async (withinMs: number) => {
    const stop = awakeTimeout(withinMs, () => void killTree(note.keeper.tree, note.keeper.identity))
    await exited
    stop()
  }
  return {
    keeper,
    pid: identity.pid,
    cgroup: note.cgroup ?? null,
    checkpoint,
    listen: (listener) => connection.listen(listener),
    send: (line, tag) => connection.write(`s${tag ? `@${tag}` : ''} ${line}\n`),
    mark: (next) => connection.say({ say: 'mark', checkpoint: next }),
    limits: (limits) => connection.say({ say: 'limits', limits }),
    exited,
    async stop(grace) {
      connection.say({ say: 'stop', ...grace })
      await ended(grace.eofMs + grace.termMs + LATE_MS)
    },
    async kill() {
      connection.say({ say: 'kill' })
      // A keeper that does not answer must not keep its agent alive.
      await killTree(tree, identity)
      if (!connection.left) await ended(LATE_MS)
    },
    leave: () => connection.leave(),
    forget: () => dropKeeper(options, keeper),
    stderrTail: () => connection.stderrTail,
    descendants: (filter) => descendantsOf(live, filter),
    killDescendantsBornAfter: (atMs) => killBornAfter(live, atMs),
  }
}

/** Returns the end of an agent whose keeper is gone: from the spool, or by force now. */
async function endOf({ folder, note }: Known): Promise<Exit> {
  await killTree(note.agent.tree, note.agent.identity)
  if (note.cgroup) await dropCgroup(foldersOf(note.cgroup))
  const seen = isPresent(folder) ? readSpool(folder)?.exit : null
  return seen ?? { code: null, signal: 'SIGKILL', stderrTail: '' }
}

/** Returns keepers of earlier servers: those that still run, and those that left only a spool. */
export async function findKeepers(keepers: string): Promise<{ keeper: string; note: KeeperNote; runs: boolean }[]> {
  const names = absentAsNullSync(() => readdirSync(keepers)) ?? []
  const table = await processTable()
  return names.flatMap((keeper) => {
    const note = readNote(join(keepers, keeper))
    return note ? [{ keeper, note, runs: stillRuns(note.keeper.identity, table) }] : []
  })
}

/**
 * Ends the agent of an earlier server, then its keeper. The keeper has a moment to write the last messages of the agent
 * to its spool, which stays.
 */
export async function endKeeper({ agent, keeper }: KeeperNote): Promise<void> {
  await killTree(agent.tree, agent.identity)
  for (let round = 0; round < LAST_ROUNDS; round += 1) {
    if (!stillRuns(keeper.identity, await processTable())) break
    await pause(LAST_PAUSE_MS)
  }
  await killTree(keeper.tree, keeper.identity)
}

/** Where the files of keepers are. */
export type KeeperFolders = Pick<KeeperOptions, 'keepers' | 'ledger'>

/**
 * Removes the spool, cgroup, temporary folder and ledger entries of a keeper whose processes have ended. The next start
 * removes leftovers. Safe to repeat.
 */
export async function dropKeeper({ keepers, ledger }: KeeperFolders, keeper: string): Promise<void> {
  const folder = join(keepers, keeper)
  const note = readNote(folder)
  if (note?.cgroup) await dropCgroup(foldersOf(note.cgroup))
  // A keeper that was killed could not remove the entry of its agent.
  for (const tree of [keeper, ...(note ? [note.agent.tree] : [])]) removeEntry(ledger, tree)
  // The folder goes last: after a crash the next start finds the rest by it.
  const sockets = [socketPath(folder), dirname(proxyPath(folder)), dirname(gatePath(folder))]
  const parts = [...sockets, temporaryOf(keepers, keeper), folder]
  for (const path of parts) await bestEffort(rm(path, { recursive: true, force: true, maxRetries: 3 }))
}

/** Removes the leftovers of keepers that nothing took over. None of them runs. */
export async function dropOthers(at: KeeperFolders, taken: ReadonlySet<string>): Promise<void> {
  const names = absentAsNullSync(() => readdirSync(at.keepers)) ?? []
  await Promise.all(names.filter((keeper) => !taken.has(keeper)).map((keeper) => dropKeeper(at, keeper)))
}

function readNote(folder: string): KeeperNote | null {
  const text = absentAsNullSync(() => readFileSync(join(folder, NOTE), 'utf8'))
  return text === null ? null : (parseJson(text) as KeeperNote | null)
}
