import { openEngine } from '../src/engine/open.ts'
import { serveHttp } from '../src/faces/http/http.ts'
import type { Config } from '../src/model/settings/config.ts'
import type { Caller } from '../src/model/tree.ts'

/** One Carrel in a process of its own: engine and HTTP as `carrel serve` has them, with a channel to its starter. */
const settings = JSON.parse(process.argv[2] ?? '{}') as Partial<Config> & { dataFolder: string }
const engine = await openEngine(settings)
const server = await serveHttp(engine, { host: '127.0.0.1', port: 0, version: '0.0.0', webFolder: null })
const caller: Caller = { name: 'bench', kind: 'program', face: 'library', workspaces: null }
const carrel = engine.carrelFor(caller)

type Asked = Readonly<Record<string, unknown>> & { readonly id: number; readonly question: string }

const ANSWERS: Record<string, (asked: Asked) => unknown> = {
  /** Bytes and microseconds since the process began. */
  figures: () => {
    globalThis.gc?.()
    return { ...process.memoryUsage(), cpu: process.cpuUsage(), waiting: server.streams.waitingBytes() }
  },
  /** ms of each of `times` calls of `sessions.list`, without the network. */
  list: async ({ times, limit }) => {
    const took: number[] = []
    for (let count = 0; count < Number(times); count += 1) {
      const before = performance.now()
      await carrel.call('sessions.list', { workspace: 'default', limit: Number(limit) })
      took.push(performance.now() - before)
    }
    return took
  },
}

process.on('message', async (asked: Asked) => {
  try {
    process.send?.({ id: asked.id, reply: await ANSWERS[asked.question]?.(asked) })
  } catch (thrown) {
    process.send?.({ id: asked.id, error: String(thrown) })
  }
})
process.once('disconnect', async () => {
  await server.close()
  await engine.close()
  process.exit(0)
})
process.send?.({ url: server.url, token: engine.token })
