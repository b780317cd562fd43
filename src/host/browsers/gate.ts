import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { connect, createServer, type ListenOptions, type Socket } from 'node:net'
import { constants } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { HELD, HOLD, OWN, READY, TAKEN } from './gate-talk.ts'

/**
 * A proxy process between an agent and its browser. The gate starts the browser at a port that no other process knows,
 * and passes on bytes without parsing them. During a hold, bytes and new connections of the agent wait and none is
 * lost; bytes of the browser pass. Gate and browser end together.
 *
 * Arguments: the agent's port or the path of its socket; the folder of the server's sockets; `held` to start held, for
 * a server that will hold it, else `open`; the browser's command and its arguments. Without arguments it does nothing.
 */
const [at = '', folder = '', begins = '', command = '', ...args] = process.argv.slice(2)

/** How long a gate started as `held` waits for its server's hold. ms. */
const FIRST_HOLD_MS = 30_000
const LISTENING = /^DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)\//m
const PORT_TAKEN = 98

/** Reasons to pass on nothing: the browser is starting, the first hold is expected, and each open hold. */
const STARTING = {}
const EXPECTED = {}
const holds = new Set<object>(begins === 'held' ? [STARTING, EXPECTED] : [STARTING])
/** Connections of the agent, each with the function that resumes it. */
const agents = new Map<Socket, () => void>()
let inner = 0

function takeAgent(near: Socket): void {
  let far: Socket | null = null
  const resume = () => {
    far ??= reach(near)
    if (!far.writableNeedDrain) near.resume()
  }
  near.pause()
  near.on('error', () => undefined)
  near.once('close', () => agents.delete(near))
  agents.set(near, resume)
  if (holds.size === 0) resume()
}

/** Copies by hand: a pipeline would still pass on, during a hold, the bytes that it has read before. */
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
  socket.once('close', () => release(socket))
  // Data must flow, or the socket never emits `close`.
  socket.resume()
  socket.write(HELD)
}

function release(hold: object): void {
  if (holds.delete(hold) && holds.size === 0) for (const resume of agents.values()) resume()
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

/** Starts the browser. Forwards its stderr until CDP is ready, and discards it afterwards. */
function start(): Promise<void> {
  const child = spawn(command, [...args, '--remote-debugging-port=0'], { stdio: ['ignore', 'ignore', 'pipe'] })
  child.once('error', ({ message }) => end(message, 127))
  child.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal ?? 'SIGKILL']))
  return new Promise((resolve) => {
    let output = ''
    child.stderr.on('data', (chunk: Buffer) => {
      if (inner !== 0) return
      process.stderr.write(chunk)
      output = (output + chunk.toString('latin1')).slice(-4_096)
      inner = Number(LISTENING.exec(output)?.[1] ?? 0)
      if (inner !== 0) resolve()
    })
  })
}

function end(why: string, code: number): void {
  process.stderr.write(`${why}\n`, () => process.exit(code))
}

async function main(): Promise<void> {
  // Listens before the start: no browser is started when another program has the port.
  const agent = /^\d+$/.test(at) ? { port: Number(at), host: '127.0.0.1', exclusive: true } : { path: at }
  await listen(agent, takeAgent)
  await start()
  await listen({ path: join(folder, OWN) }, takeOwn)
  await listen({ path: join(folder, HOLD) }, takeHold)
  if (holds.has(EXPECTED)) setTimeout(() => release(EXPECTED), FIRST_HOLD_MS)
  process.stderr.write(`${READY}\n`)
  release(STARTING)
}

if (command !== '')
  main().catch((thrown: NodeJS.ErrnoException) =>
    thrown.code === 'EADDRINUSE' ? end(TAKEN, PORT_TAKEN) : end(thrown.message, 1),
  )
