import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { FIRST_PORT, freePorts, isListening, PORT_COUNT } from './ports.ts'

async function listenOn(port: number, host: string) {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host }, resolve)
  })
  return { [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())) }
}

it('P7: a port in use is not offered, nor a taken one, and the search wraps around', async () => {
  const last = PORT_COUNT - 1
  const [busy] = await freePorts(7_000, 1, new Set())
  await using _ = await listenOn(busy!, '127.0.0.1')
  expect(await isListening(busy!)).toBe(true)
  const found = await freePorts(busy! - FIRST_PORT, 3, new Set([busy! + 1]))
  expect(found).not.toContain(busy)
  expect(found).not.toContain(busy! + 1)
  expect(await isListening(found[0]!)).toBe(false)
  const round = await freePorts(last, 2, new Set())
  expect(round).toHaveLength(2)
  expect(Math.min(...round)).toBeLessThan(FIRST_PORT + last)
})
