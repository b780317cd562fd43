import { DurableStreamTestServer } from '@durable-streams/server'

// The reference server in a process of its own, storing to disk.
const { dataFolder } = JSON.parse(process.argv[2] ?? '{}')
const server = new DurableStreamTestServer({ port: 0, host: '127.0.0.1', dataDir: dataFolder })
const url = (await server.start()) ?? server.baseUrl

process.on('message', ({ id, question }) => {
  if (question !== 'figures') return process.send({ id, error: 'unknown question' })
  globalThis.gc?.()
  process.send({ id, reply: { ...process.memoryUsage(), cpu: process.cpuUsage(), waiting: 0 } })
})
process.once('disconnect', async () => {
  await Promise.race([server.stop(), new Promise((resolve) => setTimeout(resolve, 2_000))])
  process.exit(0)
})
process.send({ url: typeof url === 'string' ? url : server.baseUrl })
