import { connect as dial, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, expect, it } from 'vitest'
import type { FollowTarget } from '../../src/api/index.ts'
import { type HttpWorld, openHttpWorld } from '../support/http-world.ts'

let world: HttpWorld | null = null
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await world?.close()
  world = null
})

const MIB = 1_048_576

/** Returns the reachable bytes after a garbage collection. */
function reachableBytes(): number {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  gc()
  gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Asks for a stream, reads its head, and then never reads again. */
function stall({ server, engine }: HttpWorld, session: string): Promise<void> {
  const socket = dial(server.port, '127.0.0.1')
  sockets.push(socket)
  socket.on('error', () => undefined)
  socket.write(
    `GET /api/v1/workspaces/default/sessions/${session}/follow HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\nauthorization: Bearer ${engine.token}\r\n\r\n`,
  )
  return new Promise((resolve) => {
    socket.once('data', () => {
      socket.pause()
      resolve()
    })
  })
}

it('L8: a stalled follower costs less than 1 MiB, and others read on', async () => {
  world = await openHttpWorld()
  const session = await world.newSession()
  // 30 MB: far more than the socket buffers of this machine hold, for each follower.
  const EVENTS = 300
  const text = 'x'.repeat(100_000)
  await world.grow(session, 1)
  const before = reachableBytes()

  // Half of them follow while the log grows; the other half start on a long log.
  const FOLLOWERS = 20
  for (let n = 0; n < FOLLOWERS / 2; n += 1) await stall(world, session)
  const writing = world.grow(session, EVENTS, text)
  let most = await readAll(world, session, EVENTS + 1)
  await writing
  for (let n = 0; n < FOLLOWERS / 2; n += 1) await stall(world, session)
  most = Math.max(most, await readAll(world, session, EVENTS + 1))

  // All followers are still connected: cutting them off did not save the memory.
  expect(world.server.streams.open()).toBeGreaterThanOrEqual(FOLLOWERS)
  expect(world.server.streams.waitingBytes()).toBeGreaterThan(0)
  expect(most / FOLLOWERS).toBeLessThan(MIB)
  expect((reachableBytes() - before) / FOLLOWERS).toBeLessThan(MIB)
})

/**
 * Reads a log to its end beside stalled readers.
 * @returns the maximum that waited for all readers meanwhile, bytes
 */
async function readAll({ client, server }: HttpWorld, session: string, head: number): Promise<number> {
  const targets: FollowTarget[] = [{ kind: 'session', workspace: 'default', session, after: 0 }]
  let most = 0
  for await (const each of client.follow(targets, new AbortController().signal)) {
    most = Math.max(most, server.streams.waitingBytes())
    if (each.kind === 'event' && each.seq === head) break
  }
  return most
}

it('L8: a follower that reads nothing for too long is cut off, and continues by its cursor when it returns', async () => {
  world = await openHttpWorld({}, { streams: { stallMs: 200 } })
  const session = await world.newSession()
  await stall(world, session).catch(() => undefined)
  await world.grow(session, 120, 'x'.repeat(200_000))
  const socket = sockets[0] as Socket
  await new Promise<void>((resolve) => {
    const look = setInterval(() => {
      if (world?.server.streams.open() !== 0) return
      clearInterval(look)
      resolve()
    }, 20)
  })
  expect(world.server.streams.waitingBytes()).toBe(0)
  socket.destroy()
})
