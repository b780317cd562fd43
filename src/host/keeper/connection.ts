import { connect, type Socket } from 'node:net'
import { readLines } from '../../primitives/lines.ts'
import { awakeTimeout } from '../../primitives/timers.ts'
import type { Exit } from '../process/process.ts'
import type { KeptListener } from './client.ts'
import type { FromKeeper, ToKeeper } from './protocol.ts'
import { readFrame } from './spool.ts'

export type Welcome = Extract<FromKeeper, { say: 'welcome' }>

const TAIL_CHARS = 4_096
const CONNECT_MS = 15_000

/** One connection from a server to a keeper. Frames that arrive before there is a listener wait for it. */
export class KeeperConnection {
  /** Last characters of the agent's stderr. */
  stderrTail = ''
  /** Exit that the keeper reported; null until then. */
  exit: Exit | null = null
  /** True once this server let go of the keeper. */
  left = false
  readonly #socket: Socket
  readonly #welcome = Promise.withResolvers<Welcome | null>()
  #listener: KeptListener | null = null
  #early: string[] = []

  constructor(socket: Socket, maxFrameBytes: number, onClose: () => void) {
    this.#socket = socket
    readLines(
      socket,
      maxFrameBytes + 1_024,
      (line) => this.#receive(line),
      () => socket.destroy(),
    )
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#welcome.resolve(null)
      onClose()
    })
  }

  /** Proves this server by its token. Resolves to null, and closes, when the keeper does not accept in time. */
  async hello(token: string): Promise<Welcome | null> {
    this.say({ say: 'hello', token, after: 0 })
    awakeTimeout(CONNECT_MS, () => this.#welcome.resolve(null), { ref: false })
    const welcome = await this.#welcome.promise
    if (welcome) this.stderrTail = welcome.stderrTail
    else {
      this.left = true
      this.#socket.destroy()
    }
    return welcome
  }

  /** Delivers every waiting frame, then each new one. */
  listen(listener: KeptListener): void {
    this.#listener = listener
    for (const line of this.#early.splice(0)) this.#deliver(line, listener)
  }

  say(message: ToKeeper): void {
    this.write(`m${JSON.stringify(message)}\n`)
  }

  write(text: string): void {
    // After leaving, nothing more is sent: an answer given in that moment belongs to the next server.
    if (!this.left && !this.#socket.destroyed) this.#socket.write(text)
  }

  leave(): void {
    this.#socket.end()
    this.left = true
  }

  #receive(line: string): void {
    if (this.#listener) return this.#deliver(line, this.#listener)
    const message = line.startsWith('m') ? (JSON.parse(line.slice(1)) as FromKeeper) : null
    if (message?.say === 'welcome') this.#welcome.resolve(message)
    else this.#early.push(line)
  }

  #deliver(line: string, listener: KeptListener): void {
    const frame = readFrame(line)
    if (frame) listener.frame(frame)
    else this.#handle(JSON.parse(line.slice(1)) as FromKeeper, listener)
  }

  #handle(message: FromKeeper, listener: KeptListener): void {
    if (message.say === 'replayed') listener.replayed()
    else if (message.say === 'too_large') listener.tooLarge()
    else if (message.say === 'stopped') listener.stopped(message.target)
    else if (message.say === 'reached') listener.reached(message.reached)
    else if (message.say === 'stderr') this.stderrTail = (this.stderrTail + message.text).slice(-TAIL_CHARS)
    else if (message.say === 'exit') {
      this.exit = message.exit
      this.say({ say: 'bye' })
    }
  }
}

/** Connects to a keeper's socket. Resolves to null when nothing accepts there. */
export async function connectTo(path: string): Promise<Socket | null> {
  const socket = connect(path)
  return await new Promise((resolve) => {
    socket.once('connect', () => resolve(socket))
    socket.once('error', () => resolve(null))
  })
}
