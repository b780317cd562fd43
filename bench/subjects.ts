import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { install } from '../scripts/install.mjs'
import type { Config } from '../src/model/settings/config.ts'
import { type Child, dropFolder, start, tempFolder } from './children.ts'
import { type Address, listen, openLine, type Stream, send } from './wire.ts'

/** A server under measurement, in words both have: streams that are appended to and followed. */
export interface Subject {
  readonly child: Child
  readonly address: Address
  /** Makes a stream. */
  make(): Promise<string>
  /** A caller on a connection of its own, who appends to one stream. */
  writer(stream: string): Promise<Writer>
  /** Everything from the first message on, as it comes. */
  follow(stream: string, onText: (text: string) => void): Promise<Stream>
  close(): Promise<void>
}

export interface Writer {
  /** Appends one message with this text, and resolves when the server says it is kept. */
  append(text: string): Promise<unknown>
  close(): void
}

async function writerOver(address: Address, path: string, bodyOf: (text: string) => object): Promise<Writer> {
  const line = await openLine(address)
  return { append: (text) => line.post(path, JSON.stringify(bodyOf(text))), close: line.close }
}

export interface Ours extends Subject {
  readonly dataFolder: string
  readonly project: string
  /** Calls an operation by its method and path under `/api/v1/workspaces/default`. */
  call<Reply>(method: string, path: string, body?: object): Promise<Reply>
}

const HERE = fileURLToPath(new URL('.', import.meta.url))

/** By default a node that serves callers and runs nothing, so that appends are all there is. */
export async function openOurs(
  settings: Partial<Config> = { runsAtOnce: 0 },
  dataFolder = tempFolder('ours'),
): Promise<Ours> {
  const child = await start(new URL('carrel-node.ts', import.meta.url), { ...settings, dataFolder }, ['--expose-gc'])
  const address = { url: child.hello.url ?? '', headers: { authorization: `Bearer ${child.hello.token}` } }
  const call = async <Reply>(method: string, path: string, body?: object): Promise<Reply> =>
    JSON.parse((await send(address, method, `/api/v1/workspaces/default${path}`, body && JSON.stringify(body))).text)
  const { projects } = await call<{ projects: { id: string }[] }>('GET', '/projects')
  const project = projects[0]?.id ?? (await call<{ project: { id: string } }>('POST', '/spaces', {})).project.id
  return {
    child,
    address,
    dataFolder,
    project,
    call,
    make: async () => (await call<{ id: string }>('POST', '/sessions', { project, agent: 'scripted' })).id,
    writer: (stream) =>
      writerOver(address, `/api/v1/workspaces/default/sessions/${stream}/prompt`, (content) => ({
        content,
        wait: 'accepted',
      })),
    follow: (stream, onText) => listen(address, `/api/v1/follow?workspace=default&s=${stream}:0`, onText),
    async close() {
      await child.stop()
      dropFolder(dataFolder)
    },
  }
}

export interface Theirs extends Subject {
  /** Appends many messages in one request. */
  appendAll(stream: string, texts: readonly string[]): Promise<void>
}

/** The reference server of the durable-streams protocol; installed beside the product when it is missing. */
export async function openTheirs(): Promise<Theirs> {
  const folder = `${HERE}peers`
  if (!existsSync(`${folder}/node_modules/@durable-streams/server`)) await install(folder)
  const dataFolder = tempFolder('theirs')
  const child = await start(new URL('peers/node.mjs', import.meta.url), { dataFolder }, ['--expose-gc'])
  const address = { url: child.hello.url ?? '', headers: {} }
  let made = 0
  return {
    child,
    address,
    async make() {
      made += 1
      const path = `/v1/stream/bench-${made}`
      // An empty list, since JSON mode takes the body of a PUT as first messages.
      await send(address, 'PUT', path, '[]')
      // Its index may show a new stream a moment after it was acknowledged.
      for (let tries = 0; tries < 100; tries += 1) {
        const seen = await send(address, 'POST', path, '{"text":"first"}').catch(() => null)
        if (seen) return path
        await sleep(10)
      }
      throw new Error(`${path} did not appear.`)
    },
    writer: (stream) => writerOver(address, stream, (text) => ({ text })),
    async appendAll(stream, texts) {
      await send(address, 'POST', stream, JSON.stringify(texts.map((text) => ({ text }))))
    },
    follow: (stream, onText) => listen(address, `${stream}?offset=-1&live=sse`, onText),
    async close() {
      await child.stop()
      dropFolder(dataFolder)
    },
  }
}
