import type { Socket } from 'node:net'
import type { AwakeClock } from '../../primitives/awake-clock.ts'
import { bestEffort } from '../../primitives/best-effort.ts'
import { errorCode } from '../../primitives/error-code.ts'
import { parseJson } from '../../primitives/json.ts'
import { readLines } from '../../primitives/lines.ts'
import { createTimer } from '../../primitives/timers.ts'
import type { LimitReached } from '../cgroups/cgroup.ts'
import type { Pipe } from '../process/pipes.ts'
import type { ChildTree, Exit } from '../process/process.ts'
import type { AgentLimits, FromKeeper, KeeperLaunch, ToKeeper } from './protocol.ts'
import { type Checkpoint, type Frame, type Spool, written } from './spool.ts'

interface KeeperParts {
  readonly launch: KeeperLaunch
  readonly spool: Spool
  readonly tree: ChildTree
  readonly now: () => number
  readonly awake: Pick<AwakeClock, 'elapsed'>
  /** Ends this process. */
  readonly leave: () => void
}

/** Unsent bytes to a slow server at which the agent has to wait. */
const OWED_BYTES = 1 << 20
/** Spooled bytes without a server at which the agent has to wait. */
const SPOOL_BYTES = 256 << 20
/** Interval of the check for reached limits, and the pause before a limit is reported again. ms. */
const REACHED_MS = 500
const AGAIN_MS = 60_000
/** Interval of the check for closed pipes. ms. */
const CLOSED_MS = 800
/** Time for the first server to connect. ms. */
const FIRST_MS = 10_000
/** Errors of a disk without room, and the time until it is tried again. ms. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT'])
const ROOM_MS = 250
const STOP = { eofMs: 500, termMs: 700 }

/**
 * Passes frames between an agent and the server that is connected, each on disk before it goes on. Without a server the
 * agent works on for as long as its limits allow; then its whole tree is ended. A newer server replaces the older one.
 */
export class AgentKeeper {
  readonly #parts: KeeperParts
  #graceMs: number
  /** End of the work without a server, by the clock of time awake; null for none. */
  #deadline: number | null = null
  #client: Client | null = null
  readonly #waiting = createTimer()
  /** Steps that store something, in their order. The first one waits where the disk has no room. */
  readonly #steps: (() => void)[] = []
  readonly #again = createTimer()
  #full = false
  #ended: Exit | null = null
  #tooLarge = false
  /** True once any server has proven itself. */
  #met = false

  constructor(parts: KeeperParts) {
    const { launch, spool, tree, now } = parts
    this.#parts = parts
    this.#graceMs = launch.limits.graceMs
    this.#limit(launch.limits)
    inPieces(
      tree,
      launch.maxFrameBytes,
      (lines) => this.#store(() => this.#passOn(spool.append('in', lines))),
      () => {
        this.#tooLarge = true
        this.#client?.say({ say: 'too_large' })
      },
    )
    const report = createLimitReport(tree, now)
    const watching = launch.cgroup ? setInterval(() => report(this.#client), REACHED_MS) : undefined
    const stopWatching = watchClosing(tree)
    void tree.exited.then((exit) => {
      clearInterval(watching)
      const closed = stopWatching()
      this.#store(() => this.#end(closed ? { ...exit, closed } : exit))
    })
    // The server that started this process connects at once.
    this.#awaitServer(Math.max(this.#graceMs, FIRST_MS))
  }

  /** Takes a connection. The other side proves by its first line that it is a server. */
  take(socket: Socket): void {
    const { launch, spool, tree } = this.#parts
    const next = serve(socket, spool, {
      proven: (token) => token === launch.token,
      welcome: () => {
        this.#client?.drop()
        this.#client = next
        this.#met = true
        this.#waiting.stop()
        return { say: 'welcome', head: spool.head, checkpoint: spool.checkpoint, stderrTail: tree.stderrTail() }
      },
      live: () => {
        if (this.#tooLarge) next.say({ say: 'too_large' })
        if (this.#ended) next.say({ say: 'exit', exit: this.#ended })
      },
      receive: (message) => this.#receive(message),
      send: (line, tag) =>
        this.#store(() => {
          this.#passOn(spool.append('out', [line], tag))
          tree.stdin.write(`${line}\n`)
        }),
      paid: () => this.#pace(),
      gone: () => this.#lost(next),
    })
  }

  stderr(text: string): void {
    this.#client?.say({ say: 'stderr', text })
  }

  /** Reports a connection that the agent's sandbox blocked. */
  stopped(target: string): void {
    this.#client?.say({ say: 'stopped', target })
  }

  #passOn(frames: readonly Frame[]): void {
    this.#client?.frames(frames)
    this.#pace()
  }

  /** Runs a step when all earlier ones have stored. On a full disk, the agent waits for room, and nothing is lost. */
  #store(step: () => void): void {
    this.#steps.push(step)
    if (this.#steps.length === 1 && !this.#full) this.#storeAll()
  }

  #storeAll(): void {
    this.#full = false
    for (let step = this.#steps[0]; step; step = this.#steps[0]) {
      try {
        step()
      } catch (thrown) {
        if (!NO_ROOM.has(errorCode(thrown))) throw thrown
        this.#full = true
        this.#pace()
        return this.#again.start(ROOM_MS, () => this.#storeAll())
      }
      this.#steps.shift()
    }
    this.#pace()
  }

  #pace(): void {
    const { tree, spool } = this.#parts
    const owed = this.#client ? this.#client.owed() > OWED_BYTES : spool.bytes > SPOOL_BYTES
    if (owed || this.#full) tree.stdout.pause()
    else if (tree.stdout.isPaused()) tree.stdout.resume()
  }

  #receive(message: ToKeeper): void {
    const { tree, leave } = this.#parts
    if (message.say === 'mark') this.#mark(message.checkpoint)
    else if (message.say === 'limits') this.#limit(message.limits)
    else if (message.say === 'stop') void tree.stop(message)
    else if (message.say === 'kill') void tree.kill()
    else if (message.say === 'bye') leave()
    this.#pace()
  }

  /** Ends the agent when no server comes within the grace, nor before the deadline. */
  #awaitServer(graceMs: number): void {
    this.#waiting.stop()
    if (this.#client || this.#ended) return
    const { tree, awake } = this.#parts
    const left = Math.min(graceMs, (this.#deadline ?? Number.POSITIVE_INFINITY) - awake.elapsed())
    this.#waiting.start(left, () => void tree.stop(STOP))
  }

  /** Takes the deadline over into time awake: nobody works while everything sleeps. */
  #limit({ graceMs, deadlineAt }: AgentLimits): void {
    const { now, awake } = this.#parts
    this.#graceMs = graceMs
    this.#deadline = deadlineAt === null ? null : awake.elapsed() + deadlineAt - now()
  }

  #lost(client: Client): void {
    if (this.#client !== client) return
    this.#client = null
    if (this.#ended) return this.#parts.leave()
    this.#pace()
    this.#awaitServer(this.#graceMs)
  }

  /** Drops recorded frames. Without room for the new file, the present one goes on. */
  #mark(checkpoint: Checkpoint): void {
    try {
      this.#parts.spool.mark(checkpoint)
    } catch (thrown) {
      if (!NO_ROOM.has(errorCode(thrown))) throw thrown
    }
  }

  #end(exit: Exit): void {
    const { spool, leave } = this.#parts
    spool.end(exit)
    this.#ended = exit
    // A connected server confirms the exit; the first server is about to connect; later servers read the spool.
    if (!this.#client && this.#met) leave()
    else if (!this.#client) this.#waiting.restart(FIRST_MS, leave)
    else if (this.#client.live()) this.#client.say({ say: 'exit', exit })
  }
}

/**
 * Ends an agent that closed its stdin or stdout and lives on: nobody can talk with it any more. The returned function
 * ends the watch and names the pipe. Only the second look counts: an agent that ends closes its pipes first.
 */
function watchClosing(tree: ChildTree): () => Pipe | null {
  let closed: Pipe | null = null
  let before: Pipe | null = null
  const look = async () => {
    const now = tree.stdin.writableEnded ? null : await tree.closedPipe()
    if (now !== null && now === before) {
      closed ??= now
      void tree.kill()
    }
    before = now
  }
  const looking = setInterval(() => void bestEffort(look()), CLOSED_MS)
  return () => {
    clearInterval(looking)
    return closed
  }
}

/** Returns a function that reports to a client each limit of the cgroup that was reached, at most once a minute. */
function createLimitReport(tree: ChildTree, now: () => number): (client: Client | null) => void {
  const reported = new Map<string, { times: number; at: number }>()
  let seen: readonly LimitReached[] = []
  return (client) => {
    // One round later: when the limit ended the agent itself, its exit names the limit. Without a client nothing is lost.
    const due = client?.live() ? seen : []
    seen = tree.reached()
    for (const reached of due) {
      const before = reported.get(reached.limit)
      if (!client || (before && (before.times >= reached.times || now() - before.at < AGAIN_MS))) continue
      reported.set(reached.limit, { times: reached.times, at: now() })
      client.say({ say: 'reached', reached })
    }
  }
}

/** Reads lines of the agent and passes on all lines of one chunk together, for one disk write a chunk. */
function inPieces(tree: ChildTree, maxBytes: number, take: (lines: string[]) => void, tooLarge: () => void): void {
  let lines: string[] = []
  readLines(tree.stdout, maxBytes, (line) => lines.push(line), tooLarge)
  // Listeners run in the order of their registration: this one sees the lines that the chunk was split into.
  tree.stdout.on('data', () => {
    if (lines.length === 0) return
    const taken = lines
    lines = []
    take(taken)
  })
}

interface Client {
  frames(frames: readonly Frame[]): void
  say(message: FromKeeper): void
  /** Whether all spooled frames were sent. */
  live(): boolean
  owed(): number
  drop(): void
}

interface Served {
  proven(token: string): boolean
  welcome(): FromKeeper
  /** Called after the last spooled frame. */
  live(): void
  receive(message: ToKeeper): void
  send(line: string, tag: string): void
  paid(): void
  gone(): void
}

const MAX_LINE = 64 << 20

/** Serves one connection. Nothing is accepted before its token is proven; spooled frames go first, then new ones. */
function serve(socket: Socket, spool: Spool, served: Served): Client {
  let proven = false
  let sent: number | null = null
  const say = (message: FromKeeper) => void socket.write(`m${JSON.stringify(message)}\n`)
  const client: Client = {
    // New frames during the replay are part of the replay.
    frames: (frames) => {
      if (sent !== null) for (const frame of frames) socket.write(written(frame))
    },
    say,
    live: () => sent !== null,
    owed: () => (sent === null ? 0 : socket.writableLength),
    drop: () => socket.destroy(),
  }
  const replay = async (after: number) => {
    let upTo = after
    while (upTo < spool.head) {
      const head = spool.head
      for (const piece of spool.after(upTo)) {
        if (!socket.write(piece)) await drained(socket)
        if (socket.destroyed) return
      }
      upTo = head
    }
    sent = upTo
    say({ say: 'replayed' })
    served.live()
  }
  const take = (text: string) => {
    if (text.startsWith('s') && proven) {
      const [head = '', tag = ''] = /^s(?:@(\S+))? /.exec(text) ?? []
      return served.send(text.slice(head.length), tag)
    }
    const message = text.startsWith('m') ? (parseJson(text.slice(1)) as ToKeeper | null) : null
    if (message === null) return socket.destroy()
    if (message.say !== 'hello') return proven ? served.receive(message) : socket.destroy()
    if (!served.proven(message.token)) return socket.destroy()
    proven = true
    say(served.welcome())
    void replay(message.after)
  }
  readLines(socket, MAX_LINE, take, () => socket.destroy())
  socket.on('drain', served.paid)
  socket.on('close', () => proven && served.gone())
  return client
}

async function drained(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    socket.once('drain', resolve)
    socket.once('close', resolve)
  })
}
