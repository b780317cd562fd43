import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { connect, createServer, type ListenOptions, type Socket } from 'node:net'
import { constants } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { HELD, HOLD, OWN, READY, TAKEN } from './gate-talk.ts'

/**
 * A program of its own, between an agent and its browser: starts the browser at a port that only this is told, and passes
 * bytes, which it does not understand, from where the agent finds its browser. While somebody holds it, nothing that the
 * agent sends is passed on: it waits, new connections too, and nothing is lost. What the browser says goes out. The two
 * end together.
 *
 * Arguments: the agent's port or the path of its socket; the folder of the server's sockets; `held` to begin so, for a
 * server that will hold it, else `open`; the browser's command and its arguments. Without any it does nothing.
 */
const [at = '', folder = '', begins = '', command = '', ...args] = process.argv.slice(2)

/** So long it waits for a server that wanted to hold it from the beginning. ms. */
const FIRST_HOLD_MS = 30_000
const LISTENING = /^DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)\//m
const PORT_TAKEN = 98

/** Why nothing goes through: the browser starts, somebody will hold it, and whoever does. */
const STARTING = {}
const EXPECTED = {}
const holds = new Set<object>(begins === 'held' ? [STARTING, EXPECTED] : [STARTING])
/** What agents have open, and what lets it go on. */
const agents = new Map<Socket, () => void>()
let inner = 0

function takeAgent(near: Socket): void {
  let far: Socket | null = null
  const goOn = () => {
    far ??= reach(near)
    if (!far.writableNeedDrain) near.resume()
  }
  near.pause()
  near.on('error', () => undefined)
  near.once('close', () => agents.delete(near))
  agents.set(near, goOn)
  if (holds.size === 0) goOn()
}

/** By hand, since what a pipeline has read already would still go on behind a hold. */
function reach(near: Socket): Socket {
  const far = connectInner()
  far.on('error', () => undefined)
  far.on('drain', () => void (holds.size === 0 && near.resume()))
  near.on('data', (chunk) => void (far.write(chunk) || near.pause()))
  near.once('end', () => far.end())
  near.once('close', () => far.destroy())
  pipeline(far, near, () => undefined)
  return far
}

function takeHold(socket: Socket): void {
  holds.add(socket)
  holds.delete(EXPECTED)
  for (const near of agents.keys()) near.pause()
  socket.on('error', () => undefined)
  socket.once('close', () => letGo(socket))
  // To hear of its end.
  socket.resume()
  socket.write(HELD)
}

function letGo(hold: object): void {
  if (holds.delete(hold) && holds.size === 0) for (const goOn of agents.values()) goOn()
}

function takeOwn(near: Socket): void {
  const far = connectInner()
  pipeline(near, far, () => undefined)
  pipeline(far, near, () => undefined)
}

const connectInner = () => connect({ port: inner, host: '127.0.0.1', allowHalfOpen: true })

function listen(where: ListenOptions, take: (socket: Socket) => void): Promise<void> {
  if (where.path) rmSync(where.path, { force: true })
  const server = createServer({ allowHalfOpen: take !== takeHold }, take)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(where, resolve)
  })
}

/** Says what the browser says until it can be driven; later it is for nobody. */
function start(): Promise<void> {
  const child = spawn(command, [...args, '--remote-debugging-port=0'], { stdio: ['ignore', 'ignore', 'pipe'] })
  child.once('error', ({ message }) => end(message, 127))
  child.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal ?? 'SIGKILL']))
  return new Promise((resolve) => {
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => {
      if (inner !== 0) return
      process.stderr.write(chunk)
      said = (said + chunk.toString('latin1')).slice(-4_096)
      inner = Number(LISTENING.exec(said)?.[1] ?? 0)
      if (inner !== 0) resolve()
    })
  })
}

function end(why: string, code: number): void {
  process.stderr.write(`${why}\n`, () => process.exit(code))
}

async function main(): Promise<void> {
  // Before the browser: where another program has the port, none is started.
  const agent = /^\d+$/.test(at) ? { port: Number(at), host: '127.0.0.1', exclusive: true } : { path: at }
  await listen(agent, takeAgent)
  await start()
  await listen({ path: join(folder, OWN) }, takeOwn)
  await listen({ path: join(folder, HOLD) }, takeHold)
  if (holds.has(EXPECTED)) setTimeout(() => letGo(EXPECTED), FIRST_HOLD_MS)
  process.stderr.write(`${READY}\n`)
  letGo(STARTING)
}

if (command !== '')
  main().catch((thrown: NodeJS.ErrnoException) =>
    thrown.code === 'EADDRINUSE' ? end(TAKEN, PORT_TAKEN) : end(thrown.message, 1),
  )
