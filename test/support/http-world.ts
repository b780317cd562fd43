import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer, connect as dial, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, connect } from '../../src/client/client.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { openEngine } from '../../src/engine/open.ts'
import { type HttpOptions, type HttpServer, serveHttp } from '../../src/faces/http/http.ts'
import type { Config } from '../../src/model/settings/config.ts'

export interface HttpWorld {
  readonly engine: Engine
  readonly server: HttpServer
  readonly client: Client
  readonly folder: string
  /** Creates a session in a blank Space. Nothing runs here: its log grows only by the requests of the test. */
  newSession(): Promise<string>
  /** Appends `count` events to a session's log, several at once. */
  grow(session: string, count: number, text?: string): Promise<void>
  close(): Promise<void>
}

/**
 * Opens a real engine on a new folder behind real HTTP on a free port. The engine accepts requests and runs nothing.
 */
export async function openHttpWorld(
  settings: Partial<Config> = {},
  options: Partial<HttpOptions> & { overrides?: Parameters<typeof openEngine>[1] } = {},
): Promise<HttpWorld> {
  const { overrides, ...serve } = options
  const folder = await mkdtemp(join(tmpdir(), 'carrel-http-'))
  const engine = await openEngine(
    { dataFolder: folder, runsAtOnce: 0, logLevel: 'error', outliveMs: 0, ...settings },
    overrides,
  )
  const server = await serveHttp(engine, { host: '127.0.0.1', port: 0, version: 'test', webFolder: null, ...serve })
  const client = connect({ url: server.url, token: engine.token })
  let made = 0
  return {
    engine,
    server,
    client,
    folder,
    async newSession() {
      made += 1
      const { project } = await client.call('spaces.create', { workspace: 'default', name: `Space ${made}` })
      const { id } = await client.call('sessions.create', {
        workspace: 'default',
        project: project.id,
        agent: 'scripted',
      })
      return id
    },
    async grow(session, count, text = '') {
      let next = 0
      const write = async () => {
        while (next < count) {
          next += 1
          const input = { workspace: 'default', id: session, agent: 'scripted', options: { n: `${next} ${text}` } }
          await client.call('sessions.configure', input)
        }
      }
      await Promise.all([write(), write(), write(), write()])
    },
    async close() {
      await server.close()
      await engine.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export interface CuttingProxy {
  readonly port: number
  readonly cuts: () => number
  /** Stops cutting connections from now on. */
  spare(): void
  close(): Promise<void>
}

/**
 * Opens a proxy that passes TCP on to `upstream()` and cuts each connection after `bytes()` bytes of answer: in the
 * middle of a header, a frame or a letter.
 */
export async function openCuttingProxy(upstream: () => number, bytes: () => number): Promise<CuttingProxy> {
  let cuts = 0
  let sparing = false
  const sockets = new Set<Socket>()
  const proxy = createServer((down) => {
    const up = dial(upstream(), '127.0.0.1')
    let left = bytes()
    for (const socket of [down, up]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        down.destroy()
        up.destroy()
      })
    }
    down.pipe(up)
    up.on('data', (chunk: Buffer) => {
      if (sparing || chunk.length < left) {
        left -= chunk.length
        if (!down.write(chunk)) {
          up.pause()
          down.once('drain', () => up.resume())
        }
        return
      }
      cuts += 1
      down.write(chunk.subarray(0, left), () => down.destroy())
      up.destroy()
    })
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  return {
    port: (proxy.address() as { port: number }).port,
    cuts: () => cuts,
    spare: () => {
      sparing = true
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => proxy.close(resolve))
    },
  }
}

export interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly text: string
  readonly json: () => { error?: { code: string; message: string; data?: unknown } } & Record<string, unknown>
}

/** Sends a request with any header and any path, also such as `fetch` refuses. */
export function ask(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body } = options
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: () => JSON.parse(text) })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
