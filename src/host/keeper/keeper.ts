import type { Socket } from 'node:net'
import { readLines } from '../../primitives/lines.ts'
import { createTimer } from '../../primitives/timers.ts'
import type { Reached } from '../cgroups/cgroup.ts'
import type { ChildTree, Exit } from '../process/process.ts'
import type { FromKeeper, KeeperLaunch, Limits, ToKeeper } from './protocol.ts'
import { type Frame, type Spool, written } from './spool.ts'

export interface Keeping {
  /** A server, or somebody who says so: proven by its first line. */
  take(socket: Socket): void
  stderr(text: string): void
  /** A connection that its sandbox did not let through. */
  stopped(target: string): void
}

interface Parts {
  readonly launch: KeeperLaunch
  readonly spool: Spool
  readonly tree: ChildTree
  readonly now: () => number
  /** Ends this process. */
  readonly leave: () => void
}

/** Bytes that a slow server may owe before the agent has to wait. */
const OWED_BYTES = 1 << 20
/** Bytes on disk, with no server to record them, before the agent has to wait. */
const SPOOL_BYTES = 256 << 20
/** How often it is looked whether a limit was reached, and how long nothing more is said of one that was told. ms. */
const REACHED_MS = 500
const AGAIN_MS = 60_000
/** The first server has so long to come. ms. */
const FIRST_MS = 10_000
const STOP = { eofMs: 500, termMs: 700 }

/**
 * Passes frames between an agent and whatever server is there, each on disk before it goes on. Without a server the
 * agent works on, as long as its limits say; then its whole tree is ended. At most one server is served: a newer one
 * takes the place of the older.
 */
export function keepAgent({ launch, spool, tree, now, leave }: Parts): Keeping {
  let limits: Limits = launch.limits
  let client: Client | null = null
  const deadline = createTimer()
  let ended: Exit | null = null
  let tooLarge = false
  let met = false

  const pace = () => {
    const owed = client ? client.owed() > OWED_BYTES : spool.bytes > SPOOL_BYTES
    if (owed) tree.stdout.pause()
    else if (tree.stdout.isPaused()) tree.stdout.resume()
  }
  const passOn = (frames: readonly Frame[]) => {
    client?.frames(frames)
    pace()
  }
  const alone = (graceMs: number) => {
    deadline.stop()
    if (client || ended) return
    const left = limits.deadlineAt === null ? graceMs : Math.min(graceMs, limits.deadlineAt - now())
    deadline.start(Math.max(0, left), () => void tree.stop(STOP))
  }
  const hear = (message: ToKeeper) => {
    if (message.say === 'mark') spool.mark(message.checkpoint)
    else if (message.say === 'limits') limits = message.limits
    else if (message.say === 'stop') void tree.stop(message)
    else if (message.say === 'kill') void tree.kill()
    else if (message.say === 'bye') leave()
    pace()
  }
  const send = (line: string, tag: string) => {
    passOn(spool.append('out', [line], tag))
    tree.stdin.write(`${line}\n`)
  }

  inPieces(
    tree,
    launch.maxFrameBytes,
    (lines) => passOn(spool.append('in', lines)),
    () => {
      tooLarge = true
      client?.say({ say: 'too_large' })
    },
  )
  const told = new Map<string, { times: number; at: number }>()
  let seen: readonly Reached[] = []
  const tellReached = () => {
    // One look later: where it was the agent itself that was ended, its end says so. Nor is it said to nobody.
    const due = client?.live() ? seen : []
    seen = tree.reached()
    for (const reached of due) {
      const before = told.get(reached.limit)
      if (!client || (before && (before.times >= reached.times || now() - before.at < AGAIN_MS))) continue
      told.set(reached.limit, { times: reached.times, at: now() })
      client.say({ say: 'reached', reached })
    }
  }
  const watching = launch.cgroup ? setInterval(tellReached, REACHED_MS) : undefined
  void tree.exited.then((exit) => {
    clearInterval(watching)
    ended = exit
    spool.end(exit)
    // A server that is here says when it has heard; the first one is about to come; all others read the spool.
    if (!client && met) leave()
    else if (!client) setTimeout(leave, FIRST_MS)
    else if (client.live()) client.say({ say: 'exit', exit })
  })
  // Whoever started this comes at once.
  alone(Math.max(limits.graceMs, FIRST_MS))

  return {
    stderr: (text) => client?.say({ say: 'stderr', text }),
    stopped: (target) => client?.say({ say: 'stopped', target }),
    take(socket) {
      const next = serve(socket, spool, {
        proven: (token) => token === launch.token,
        welcome: () => {
          client?.drop()
          client = next
          met = true
          deadline.stop()
          return { say: 'welcome', head: spool.head, checkpoint: spool.checkpoint, stderrTail: tree.stderrTail() }
        },
        live: () => {
          if (tooLarge) next.say({ say: 'too_large' })
          if (ended) next.say({ say: 'exit', exit: ended })
        },
        hear,
        send,
        paid: pace,
        gone: () => {
          if (client !== next) return
          client = null
          if (ended) return leave()
          pace()
          alone(limits.graceMs)
        },
      })
    },
  }
}

/** Lines of the agent as they come, all of one piece together: one write to the disk for each piece. */
function inPieces(tree: ChildTree, maxBytes: number, take: (lines: string[]) => void, tooLarge: () => void): void {
  let lines: string[] = []
  readLines(tree.stdout, maxBytes, (line) => lines.push(line), tooLarge)
  // Listeners are called in the order they were added: this one sees what the piece was split into.
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
  /** The past has been sent. */
  live(): boolean
  owed(): number
  drop(): void
}

interface Served {
  proven(token: string): boolean
  welcome(): FromKeeper
  /** All of the past has been sent. */
  live(): void
  hear(message: ToKeeper): void
  send(line: string, tag: string): void
  paid(): void
  gone(): void
}

const MAX_LINE = 64 << 20

/** One connection: nothing is heard before its token is proven; the past goes first, then what comes. */
function serve(socket: Socket, spool: Spool, served: Served): Client {
  let proven = false
  let sent: number | null = null
  const say = (message: FromKeeper) => void socket.write(`m${JSON.stringify(message)}\n`)
  const client: Client = {
    // While the past is being sent, what comes meanwhile is part of it.
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
    const message = readMessage(text)
    if (message === null) return socket.destroy()
    if (message.say !== 'hello') return proven ? served.hear(message) : socket.destroy()
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

function readMessage(text: string): ToKeeper | null {
  try {
    return text.startsWith('m') ? (JSON.parse(text.slice(1)) as ToKeeper) : null
  } catch {
    return null
  }
}

async function drained(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    socket.once('drain', resolve)
    socket.once('close', resolve)
  })
}
