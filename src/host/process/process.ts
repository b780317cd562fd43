import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createWriteStream, renameSync, type WriteStream } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { TextFilter } from '../../model/secrets/mask.ts'
import { resolvesWithin } from '../../primitives/timers.ts'
import {
  type Cgroup,
  dropCgroup,
  enterCommand,
  foldersOf,
  type LimitReached,
  makeCgroup,
  readReached,
} from '../cgroups/cgroup.ts'
import { bootId, type ProcessIdentity, type ProcessRow, processNow, TREE_VARIABLE } from '../proc-table.ts'
import type { Containment } from './containment.ts'
import { killTree, removeEntry, signal, writeEntry } from './ledger.ts'
import { commandOf, descendantsOf, killBornAfter } from './live-tree.ts'
import { type Pipe, watchPipes } from './pipes.ts'

export interface SpawnTree {
  /** Absolute path, or a name that is looked up on the PATH of `env`. */
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  /** Prefix of everything else that enters the view of a place; `cwd` is then a folder of that view. */
  readonly enter?: readonly string[]
  /** Complete environment of the child: only the mark of the tree is added (P3). */
  readonly env: Readonly<Record<string, string>>
  readonly containment: Containment
  /** Cgroup of the whole tree. `own`: made for this tree and removed with it; otherwise it belongs to another tree. */
  readonly cgroup?: { readonly is: Cgroup; readonly own: boolean } | null
  /** Folder of the ledger: one file for each live tree (P1). */
  readonly ledger: string
  /** Label in `carrel doctor`. */
  readonly label: string
  /** File to which stderr is also appended, rotated at 4 MiB with one older file kept. */
  readonly stderrPath?: string
  readonly onStderr?: (chunk: Buffer) => void
  /** Filter for stderr in the file and the tail (B3); `onStderr` receives the raw chunks. */
  readonly stderrFilter?: TextFilter
  /** Milliseconds since 1970; compares process births with the caller's times. */
  readonly now: () => number
}

export interface Exit {
  readonly code: number | null
  readonly signal: string | null
  /** Last 4 KiB of stderr. May contain anything that an agent prints: the caller keeps it out of shared logs. */
  readonly stderrTail: string
  /** Limits that were reached; absent for none. */
  readonly reached?: readonly LimitReached[]
  /** The command closed this pipe and lived on, and was ended for it. */
  readonly closed?: Pipe
}

export interface ChildTree {
  /** Name in the ledger, and mark of the processes. */
  readonly tree: string
  readonly pid: number
  readonly identity: ProcessIdentity
  readonly stdin: Writable
  readonly stdout: Readable
  stderrTail(): string
  /** Returns the limits of its cgroup that were reached so far. */
  reached(): readonly LimitReached[]
  /** Names the pipe that the command has closed; null for none. */
  readonly closedPipe: () => Promise<Pipe | null>
  /** Resolves once the command has ended, its leftovers are killed and its output is read. Never rejects. */
  readonly exited: Promise<Exit>
  /** Closes stdin, then sends SIGTERM, then SIGKILL to the tree; resolves once it is gone. Safe to repeat. */
  stop(grace: { eofMs: number; termMs: number }): Promise<void>
  /** Sends SIGKILL to the whole tree at once. Resolves when no process is left. Safe to repeat. */
  kill(): Promise<void>
  /** Returns the processes below the command; with `bornAfterMs` only those started since (10 ms grain). */
  descendants(filter?: { bornAfterMs?: number }): Promise<ProcessRow[]>
  /** Kills the processes that a cancelled run left behind; returns their pids. The command itself stays. */
  killDescendantsBornAfter(atMs: number): Promise<number[]>
}

const TAIL_BYTES = 4096
const LOG_BYTES = 4 << 20
const DRAIN_MS = 500
/** The child waits for a line on descriptor 3, until the ledger is on disk. End of file: the server died. */
const GATE = 'read -r go <&3 || exit 125; exec 3<&-; '
/** The folder of a view exists only inside the view: where entering failed, the command must not run elsewhere (F8). */
const MOVE = 'cd -- "$1" || exit 126; shift; '
const AS_INIT = '"$@"; exit $?'
const AS_SELF = 'exec "$@"'

/**
 * Starts a command whose whole tree can be ended. The ledger has its entry before the command can act, so a server that
 * dies at any moment finds it again.
 * @throws the error of the operating system when the folder or the shell is missing, or its cgroup cannot be made. A
 * missing command is an exit with code 127.
 */
export async function spawnTree(options: SpawnTree): Promise<ChildTree> {
  const tree = randomUUID()
  const { ledger, label } = options
  const cgroup = options.cgroup?.own ? options.cgroup.is : null
  const entry = { tree, label, bootId: bootId(), identity: null, ...(cgroup && { cgroup: foldersOf(cgroup) }) }
  writeEntry(ledger, entry)
  const forget = async () => {
    if (cgroup) await dropCgroup(foldersOf(cgroup))
    removeEntry(ledger, tree)
  }
  try {
    if (cgroup) makeCgroup(cgroup)
  } catch (thrown) {
    removeEntry(ledger, tree)
    throw thrown
  }
  const [program = '/bin/sh', ...rest] = wordsOf(options)
  const child = spawn(program, rest, {
    cwd: options.enter?.length ? '/' : options.cwd,
    env: { ...options.env, [TREE_VARIABLE]: tree },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  })
  if (child.pid === undefined) {
    const [failure] = await new Promise<[Error]>((resolve) => child.once('error', (error) => resolve([error])))
    await forget()
    throw failure
  }
  const identity = { pid: child.pid, startTicks: processNow(child.pid)?.startTicks ?? 0, bootId: bootId() }
  writeEntry(ledger, { ...entry, identity })
  const open = child.stdio[3] as Writable
  open.on('error', () => undefined)
  open.end('go\n')
  return watch(child, identity, tree, { ...options, forget })
}

function wordsOf({ cgroup, containment, enter = [], cwd, command, args }: SpawnTree): string[] {
  const start = containment.kind === 'unshare' ? AS_INIT : AS_SELF
  const inside = cgroup ? enterCommand(cgroup.is) : []
  const shell = (script: string) => [
    ...inside,
    ...enter,
    ...containment.wrap,
    '/bin/sh',
    '-c',
    `${GATE}${script}`,
    'carrel',
  ]
  return enter.length === 0 ? [...shell(start), command, ...args] : [...shell(`${MOVE}${start}`), cwd, command, ...args]
}

interface Watched extends SpawnTree {
  /** Removes the ledger entry and the cgroup of the tree. */
  readonly forget: () => Promise<void>
}

function watch(child: ChildProcess, identity: ProcessIdentity, tree: string, options: Watched): ChildTree {
  const stderr = collectStderr(child.stderr as Readable, options)
  const stdin = child.stdin as Writable
  // A dead child breaks the pipe; `exited` reports its end.
  stdin.on('error', () => undefined)
  let over = false
  const exited = whenExited(child, identity, tree, options).then((end) => {
    over = true
    return { ...end, stderrTail: stderr.tail() }
  })
  const kill = async () => {
    if (over) return
    await killTree(tree, identity)
    await exited
  }
  let stopping: Promise<void> | undefined
  const live = { tree, identity, depth: options.containment.depth, now: options.now }
  return {
    tree,
    pid: identity.pid,
    identity,
    stdin,
    stdout: child.stdout as Readable,
    stderrTail: stderr.tail,
    reached: () => (options.cgroup ? readReached(options.cgroup.is) : []),
    closedPipe: watchPipes(live),
    exited,
    kill,
    stop: (grace) => {
      stopping ??= stopKindly(grace, { stdin, exited, kill, command: () => commandOf(live) })
      return stopping
    },
    descendants: (filter) => descendantsOf(live, filter),
    killDescendantsBornAfter: (atMs) => killBornAfter(live, atMs),
  }
}

interface Stoppable {
  readonly stdin: Writable
  readonly exited: Promise<Exit>
  readonly kill: () => Promise<void>
  readonly command: () => Promise<ProcessRow | null>
}

async function stopKindly(grace: { eofMs: number; termMs: number }, tree: Stoppable): Promise<void> {
  tree.stdin.end()
  if (await resolvesWithin(tree.exited, grace.eofMs)) return
  // A wrapper, and the first process of a namespace, ignore SIGTERM: the command itself must get it.
  const command = await tree.command()
  if (command && signal(command.pid, 'SIGTERM') && (await resolvesWithin(tree.exited, grace.termMs))) return
  await tree.kill()
}

async function whenExited(child: ChildProcess, identity: ProcessIdentity, tree: string, options: Watched) {
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const [code, byWhat] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.once('exit', (exitCode, exitSignal) => resolve([exitCode, exitSignal]))
  })
  // Without a namespace, commands survive their agent. Its pid is free now, so only the mark is reliable. Elsewhere
  // than on Linux there are no marks, but a group keeps its number while it has members.
  if (process.platform !== 'linux') signal(-identity.pid, 'SIGKILL')
  await killTree(tree, null)
  const reached = options.cgroup ? readReached(options.cgroup.is) : []
  await options.forget()
  await resolvesWithin(closed, DRAIN_MS)
  child.stdin?.destroy()
  const wrapped = options.containment.kind !== 'process-group' && code !== null && code > 128
  const end = wrapped ? { code: null, signal: signalName(code - 128) } : { code, signal: byWhat }
  return reached.length > 0 ? { ...end, reached } : end
}

function signalName(number: number): string {
  const names: Record<number, string> = {
    1: 'SIGHUP',
    2: 'SIGINT',
    3: 'SIGQUIT',
    6: 'SIGABRT',
    9: 'SIGKILL',
    11: 'SIGSEGV',
    13: 'SIGPIPE',
    15: 'SIGTERM',
  }
  return names[number] ?? `signal ${number}`
}

function collectStderr(stream: Readable, { stderrPath: path, onStderr, stderrFilter }: SpawnTree) {
  let tail = Buffer.alloc(0)
  let file: WriteStream | undefined
  let written = 0
  const decoder = new StringDecoder('utf8')
  stream.on('error', () => undefined)
  stream.on('data', (chunk: Buffer) => {
    onStderr?.(chunk)
    keep(stderrFilter ? Buffer.from(stderrFilter.push(decoder.write(chunk))) : chunk)
  })
  const keep = (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-TAIL_BYTES)
    if (!path || chunk.length === 0) return
    if (written > LOG_BYTES) {
      file?.end()
      file = undefined
      written = 0
      renameSync(path, `${path}.old`)
    }
    if (!file) file = createWriteStream(path, { flags: 'a', mode: 0o600 }).on('error', () => undefined)
    written += chunk.length
    file.write(chunk)
  }
  stream.on('close', () => {
    if (stderrFilter) keep(Buffer.from(stderrFilter.push(decoder.end()) + stderrFilter.end()))
    file?.end()
  })
  return { tail: () => tail.toString('utf8') }
}
