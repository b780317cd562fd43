import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { createOutlet, OUTLET_LIMITS, pump } from './outlet.ts'

let server: Server | null = null
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** A real HTTP answer with a reader that waits for a call before it reads. */
async function openLine(): Promise<{ response: ServerResponse; reader: IncomingMessage; writes: string[] }> {
  server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const answered = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>
  const sent = get({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, agent: false })
  const arrived = once(sent, 'response') as Promise<[IncomingMessage]>
  const [, response] = await answered
  response.writeHead(200).flushHeaders()
  const writes: string[] = []
  const write = response.write.bind(response)
  response.write = ((chunk: string) => {
    writes.push(chunk)
    return write(chunk)
  }) as typeof response.write
  const [reader] = await arrived
  reader.on('error', () => undefined)
  return { response, reader, writes }
}

it('L8: frames of one turn of the event loop leave in one write', async () => {
  const { response, reader, writes } = await openLine()
  const outlet = createOutlet(response, OUTLET_LIMITS)
  for (let n = 0; n < 500; n += 1) outlet.push(`data: ${n}\n\n`)
  expect(outlet.room()).toBeNull()
  outlet.end()
  let text = ''
  for await (const chunk of reader) text += chunk
  expect(writes).toHaveLength(1)
  expect(text.match(/data: \d+/g)).toHaveLength(500)
  expect(outlet.waiting()).toBe(0)
})

it('L8: there is no room while nobody reads, and again when somebody does', async () => {
  const { response, reader } = await openLine()
  const outlet = createOutlet(response, OUTLET_LIMITS)
  const frame = `data: ${'x'.repeat(50_000)}\n\n`
  let most = 0
  let full: Promise<void> | null = null
  // Up to here the system's own buffers take it in; how much they hold is its business.
  for (let pushed = 0; pushed < 2_000 && full === null; pushed += 1) {
    outlet.push(frame)
    most = Math.max(most, outlet.waiting())
    const room = outlet.room()
    if (room === null) continue
    const still = Symbol()
    const turn = () => new Promise<symbol>((resolve) => setImmediate(resolve, still))
    let first: unknown = still
    for (let turns = 0; turns < 50 && first === still; turns += 1) first = await Promise.race([room, turn()])
    if (first === still) full = room
  }
  expect(full).not.toBeNull()
  expect(most).toBeLessThan(1_048_576)
  reader.resume()
  await full
  expect(outlet.waiting()).toBeLessThan(1_048_576)
  outlet.end()
  await once(reader, 'end')
})

it('something is said also when nothing happens', async () => {
  const { response, reader } = await openLine()
  createOutlet(response, { ...OUTLET_LIMITS, heartbeatMs: 5 })
  let text = ''
  for await (const chunk of reader) {
    text += chunk
    if (text.split(':').length > 3) break
  }
  expect(text).toMatch(/^(: still here\n\n)+$/)
})

it('L8: a reader that takes nothing for too long is sent away, and whoever waits for room goes on', async () => {
  const { response, reader } = await openLine()
  const outlet = createOutlet(response, { ...OUTLET_LIMITS, stallMs: 100 })
  while (!response.destroyed) {
    outlet.push(`data: ${'x'.repeat(50_000)}\n\n`)
    await outlet.room()
  }
  expect(outlet.waiting()).toBe(0)
  reader.destroy()
})

it('L7: a reader that is as fast as a long log leaves others their turn', async () => {
  let turns = 0
  let going = true
  const turn = () => {
    turns += 1
    if (going) setImmediate(turn)
  }
  setImmediate(turn)
  let left = 200_000
  const next = async () => (left-- > 0 ? { value: left } : { value: undefined, done: true as const })
  const endless = { push: () => undefined, room: () => null, waiting: () => 0, end: () => undefined }
  await pump(await next(), { next: next as never }, endless, String)
  going = false
  expect(turns).toBeGreaterThan(1)
})
