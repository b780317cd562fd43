import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { absentAsNullSync, isPresent } from '../../primitives/absent-as-null.ts'
import { bestEffort } from '../../primitives/best-effort.ts'
import { readLines } from '../../primitives/lines.ts'
import { programFile } from '../../primitives/programs.ts'
import { type Cgroup, dropCgroup, foldersOf, type Reached } from '../cgroups/cgroup.ts'
import { temporaryOf } from '../identity/temporary.ts'
import type { Containment } from '../process/containment.ts'
import { killTree, writeEntry } from '../process/ledger.ts'
import { descendantsOf, killBornAfter, type LiveTree } from '../process/live-tree.ts'
import { bootId, type ProcessRow, processNow, processTable, stillRuns, TREE_VARIABLE } from '../process/proc-table.ts'
import type { Exit } from '../process/process.ts'
import {
  type FromKeeper,
  gatePath,
  type KeeperLaunch,
  type KeeperNote,
  type Limits,
  NOTE,
  proxyPath,
  socketPath,
  type ToKeeper,
} from './protocol.ts'
import { type Checkpoint, type Frame, readFrame, readSpool } from './spool.ts'

/** An agent's process, held by a keeper that outlives this server. */
export interface KeptTree {
  /** Names the keeper: a server that comes later finds it by this. */
  readonly keeper: string
  readonly pid: number
  /** What the agent is in; null for none. */
  readonly cgroup: Cgroup | null
  /** What a server before this one had recorded; null for a fresh agent. */
  readonly checkpoint: Checkpoint | null
  /** Every frame after the checkpoint, in order and once: the past first, then what comes. Call it once, at once. */
  listen(listener: KeptListener): void
  /** Writes a frame; it is on disk before the agent has it. `tag` finds it again. */
  send(line: string, tag?: string): void
  /** All frames up to `upTo` are recorded: the keeper may forget them. */
  mark(checkpoint: Checkpoint): void
  limits(limits: Limits): void
  /** Resolves when the whole tree has ended, also when its keeper died. Never rejects. */
  readonly exited: Promise<Exit>
  stop(grace: { eofMs: number; termMs: number }): Promise<void>
  kill(): Promise<void>
  /** Lets go: the keeper goes on with the agent for as long as its limits say. */
  leave(): void
  /** Once it has ended and all it said is recorded: its spool goes, and its temporary folder. Never rejects. */
  forget(): Promise<void>
  stderrTail(): string
  descendants(filter?: { bornAfterMs?: number }): Promise<ProcessRow[]>
  killDescendantsBornAfter(atMs: number): Promise<number[]>
}

export interface KeptListener {
  frame(frame: Frame): void
  /** What was spooled before has all come. */
  replayed(): void
  tooLarge(): void
  /** The sandbox let no connection through to this host and port. */
  stopped(target: string): void
  /** The agent lives on, and a limit of its cgroup was reached. */
  reached(reached: Reached): void
}

export interface KeeperOptions {
  /** Folder of all keepers. */
  readonly keepers: string
  readonly ledger: string
  readonly containment: Containment
  readonly now: () => number
  /** Where Node keeps what it compiled; spares the keeper memory. */
  readonly compiled: string | null
  readonly maxFrameBytes: number
}

const TAIL_CHARS = 4_096
const START_MS = 30_000
const CONNECT_MS = 15_000
/** A keeper has so long to tell that its agent has ended. ms. */
const LATE_MS = 1_500

export const newKeeper = (): string => randomBytes(8).toString('hex')

/** Starts a keeper and its agent. @throws Error with the reason when it does not come up; nothing of it runs then */
export async function startKeeper(
  launch: Pick<
    KeeperLaunch,
    'command' | 'args' | 'cwd' | 'enter' | 'env' | 'label' | 'stderrPath' | 'limits' | 'secrets' | 'proxy' | 'cgroup'
  >,
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
    await dropKeeper(options.keepers, keeper)
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
  const said = new Promise<string>((resolve) => {
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8')
      if (text.includes('\n')) resolve(text.trim())
    })
    child.once('error', (error) => resolve(error.message))
    child.once('exit', () => resolve(text.trim() || 'its keeper ended before it was ready'))
    setTimeout(() => resolve('its keeper was not ready in time'), START_MS).unref()
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(JSON.stringify(launch))
  const identity = { pid: child.pid ?? 0, startTicks: processNow(child.pid ?? 0)?.startTicks ?? 0, bootId: bootId() }
  writeEntry(options.ledger, { tree: keeper, label: `keeper of ${launch.label}`, bootId: bootId(), identity })
  const answer = await said
  child.stdout.destroy()
  if (answer !== 'ready') throw new Error(answer)
}

/** A keeper needs little, and so do others of Carrel's small programs: small heaps, collected early. */
export const LEAN = ['--max-old-space-size=96', '--max-semi-space-size=1', '--single-threaded']

/** Takes up with a keeper, also one of an earlier life; null when it is gone. */
export async function attachKeeper(keeper: string, options: KeeperOptions): Promise<KeptTree | null> {
  const folder = join(options.keepers, keeper)
  const note = readNote(folder)
  if (!note || !stillRuns(note.keeper.identity, await processTable())) return null
  const socket = await reach(socketPath(folder))
  return socket && (await greet(socket, { keeper, folder, note, options }))
}

async function reach(path: string): Promise<Socket | null> {
  const socket = connect(path)
  return await new Promise((resolve) => {
    socket.once('connect', () => resolve(socket))
    socket.once('error', () => resolve(null))
  })
}

interface Known {
  readonly keeper: string
  readonly folder: string
  readonly note: KeeperNote
  readonly options: KeeperOptions
}

/**
 * What a keeper that is gone has left, as if it were there: its frames, and then its end. Null where it left nothing.
 */
export function openSpooled(keeper: string, options: KeeperOptions): KeptTree | null {
  const folder = join(options.keepers, keeper)
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
    forget: () => dropKeeper(options.keepers, keeper),
    stderrTail: () => exit.stderrTail,
    descendants: async () => [],
    killDescendantsBornAfter: async () => [],
  }
}

async function greet(socket: Socket, known: Known): Promise<KeptTree | null> {
  const { note, options } = known
  let listener: KeptListener | null = null
  let early: string[] = []
  let tail = ''
  let told: Exit | null = null
  const exit = Promise.withResolvers<Exit>()
  const welcome = Promise.withResolvers<Extract<FromKeeper, { say: 'welcome' }> | null>()
  let left = false
  // After leaving nothing more is said: an answer given in that moment is the next server's to give.
  const write = (text: string) => void (left || socket.destroyed || socket.write(text))
  const say = (message: ToKeeper) => write(`m${JSON.stringify(message)}\n`)
  const hear = (message: FromKeeper, to: KeptListener) => {
    if (message.say === 'replayed') to.replayed()
    else if (message.say === 'too_large') to.tooLarge()
    else if (message.say === 'stopped') to.stopped(message.target)
    else if (message.say === 'reached') to.reached(message.reached)
    else if (message.say === 'stderr') tail = (tail + message.text).slice(-TAIL_CHARS)
    else if (message.say === 'exit') {
      told = message.exit
      say({ say: 'bye' })
    }
  }
  const take = (text: string, to: KeptListener) => {
    const frame = readFrame(text)
    if (frame) to.frame(frame)
    else hear(JSON.parse(text.slice(1)) as FromKeeper, to)
  }
  readLines(
    socket,
    options.maxFrameBytes + 1_024,
    (text) => {
      if (listener) return take(text, listener)
      const message = text.startsWith('m') ? (JSON.parse(text.slice(1)) as FromKeeper) : null
      if (message?.say === 'welcome') welcome.resolve(message)
      else early.push(text)
    },
    () => socket.destroy(),
  )
  socket.on('error', () => undefined)
  socket.on('close', () => {
    welcome.resolve(null)
    // Both have gone; or the keeper alone died, and its agent goes with it at the latest now.
    if (told) exit.resolve(told)
    else if (!left) void endOf(known).then((forced) => exit.resolve({ ...forced, stderrTail: tail }))
  })
  say({ say: 'hello', token: note.token, after: 0 })
  setTimeout(() => welcome.resolve(null), CONNECT_MS).unref()
  const welcomed = await welcome.promise
  if (!welcomed) {
    left = true
    socket.destroy()
    return null
  }
  tail = welcomed.stderrTail
  const live: LiveTree = {
    tree: note.agent.tree,
    identity: note.agent.identity,
    depth: options.containment.depth,
    now: options.now,
  }
  const exited = exit.promise
  /** Waits for the end; a keeper that does not tell of it in time is ended itself, which tells. */
  const ended = async (withinMs: number) => {
    const late = setTimeout(() => void killTree(note.keeper.tree, note.keeper.identity), withinMs)
    await exited
    clearTimeout(late)
  }
  return {
    keeper: known.keeper,
    pid: note.agent.identity.pid,
    cgroup: note.cgroup ?? null,
    checkpoint: welcomed.checkpoint,
    listen(to) {
      listener = to
      const before = early
      early = []
      for (const text of before) take(text, to)
    },
    send: (line, tag) => write(`s${tag ? `@${tag}` : ''} ${line}\n`),
    mark: (checkpoint) => say({ say: 'mark', checkpoint }),
    limits: (limits) => say({ say: 'limits', limits }),
    exited,
    async stop(grace) {
      say({ say: 'stop', ...grace })
      await ended(grace.eofMs + grace.termMs + LATE_MS)
    },
    async kill() {
      say({ say: 'kill' })
      // A keeper that does not answer must not keep its agent alive.
      await killTree(note.agent.tree, note.agent.identity)
      if (!left) await ended(LATE_MS)
    },
    leave() {
      socket.end()
      left = true
    },
    forget: () => dropKeeper(options.keepers, known.keeper),
    stderrTail: () => tail,
    descendants: (filter) => descendantsOf(live, filter),
    killDescendantsBornAfter: (atMs) => killBornAfter(live, atMs),
  }
}

/** The end of an agent whose keeper is gone: as it stands in the spool, or by force now. */
async function endOf({ folder, note }: Known): Promise<Exit> {
  await killTree(note.agent.tree, note.agent.identity)
  if (note.cgroup) await dropCgroup(foldersOf(note.cgroup))
  const seen = isPresent(folder) ? readSpool(folder)?.exit : null
  return seen ?? { code: null, signal: 'SIGKILL', stderrTail: '' }
}

/** Keepers of earlier lives, by name: those that still run, and those that left only their spool. */
export async function findKeepers(keepers: string): Promise<{ keeper: string; note: KeeperNote; runs: boolean }[]> {
  const names = absentAsNullSync(() => readdirSync(keepers)) ?? []
  const table = await processTable()
  return names.flatMap((keeper) => {
    const note = readNote(join(keepers, keeper))
    return note ? [{ keeper, note, runs: stillRuns(note.keeper.identity, table) }] : []
  })
}

/** Forgets a keeper that has ended, with its spool, its agent's cgroup and its temporary folder, which may be large. What this cannot take the next start does. Safe to repeat. */
export async function dropKeeper(keepers: string, keeper: string): Promise<void> {
  const folder = join(keepers, keeper)
  const cgroup = readNote(folder)?.cgroup
  if (cgroup) await dropCgroup(foldersOf(cgroup))
  // The folder goes last: by it the next start finds what is left where this is cut off.
  const sockets = [socketPath(folder), dirname(proxyPath(folder)), dirname(gatePath(folder))]
  const parts = [...sockets, temporaryOf(keepers, keeper), folder]
  for (const path of parts) await bestEffort(rm(path, { recursive: true, force: true, maxRetries: 3 }))
}

/** What earlier lives left of agents that nobody can take up any more: none of them runs. */
export async function dropOthers(keepers: string, taken: ReadonlySet<string>): Promise<void> {
  const names = absentAsNullSync(() => readdirSync(keepers)) ?? []
  await Promise.all(names.filter((keeper) => !taken.has(keeper)).map((keeper) => dropKeeper(keepers, keeper)))
}

function readNote(folder: string): KeeperNote | null {
  const text = absentAsNullSync(() => readFileSync(join(folder, NOTE), 'utf8'))
  if (text === null) return null
  try {
    return JSON.parse(text) as KeeperNote
  } catch {
    return null
  }
}
