import { userInfo } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import type { Carrel } from '../../api/index.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Config } from '../../model/config.ts'
import { asCarrelError, CarrelError } from '../../model/errors.ts'
import type { Caller } from '../../model/tree.ts'
import type { Cli } from './cli.ts'
import { VERSION } from './installation.ts'
import { badInput } from './problem.ts'
import { stagesOf } from './progress.ts'
import { askServer, readServerFile, readToken, removeServerFile, writeServerFile } from './server-file.ts'

/** The way to Carrel that a command found. */
export interface Reached {
  readonly carrel: Carrel
  /** `named`: the server of `--url`; `server`: the one of this data folder; `embedded`: Carrel inside this process. */
  readonly how: 'named' | 'server' | 'embedded'
  readonly url: string | null
  /** Closing no longer waits for what others began in an embedded Carrel, nor for a run of our own. */
  hurry(): void
  /** Safe to repeat. */
  close(): Promise<void>
}

const NOTHING_TO_CLOSE = { hurry: () => undefined, close: async () => undefined }

/** How long a server that should be there has to answer. ms. */
const PATIENCE_MS = 3_000
/** How often an embedded Carrel looks whether others still use it. ms. */
const LOOK_MS = 50
const QUIET_LOOKS = 40

/** The person at this terminal, as logs will name them. */
export function personHere(): Caller {
  return { name: nameHere(), kind: 'person', face: 'cli', workspaces: null }
}

function nameHere(): string {
  try {
    return userInfo().username
  } catch {
    return 'owner'
  }
}

/** The named server, else the running one of the data folder, else Carrel inside this process. */
export async function reach(cli: Cli, need: { readonly runs: boolean }): Promise<Reached> {
  if (cli.far) return reachNamed(cli.far)
  return (await reachServer(cli.dataFolder)) ?? embed(cli, need)
}

async function reachNamed({ url, token }: { url: string; token: string | null }): Promise<Reached> {
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw badInput(`${JSON.stringify(url)} is no address of a server. Write it as http://127.0.0.1:4747.`)
  if (token === null)
    throw new CarrelError(
      'unauthenticated',
      `The server at ${url} wants a token: give it with --token or in CARREL_TOKEN. It is in the file \`token\` of the server's data folder.`,
    )
  return { carrel: await clientOf(url, token), how: 'named', url, ...NOTHING_TO_CLOSE }
}

export async function reachServer(dataFolder: string): Promise<Reached | null> {
  const token = readToken(dataFolder)
  const server = readServerFile(dataFolder)
  if (!server || !token || !(await askServer(server.url, token, PATIENCE_MS))) return null
  const { url } = server
  return { carrel: await clientOf(url, token), how: 'server', url, ...NOTHING_TO_CLOSE }
}

/** Loaded here: help and version need none of the operations. */
async function clientOf(url: string, token: string): Promise<Carrel> {
  const { connect } = await import('../../client/client.ts')
  return connect({ url, token, face: 'cli' })
}

async function embed(cli: Cli, { runs }: { readonly runs: boolean }): Promise<Reached> {
  const { config } = cli.settings()
  // A command that looks or asks must not start agents that it would have to stop a moment later. One that runs takes up
  // what outlived a server, and leaves nothing itself: nobody would come back to it.
  const engine = runs
    ? await openFolder(cli, { ...config, outliveMs: 0 }, { rejoinsAgents: config.outliveMs > 0 })
    : await openFolder(cli, { ...config, runsAtOnce: 0 })
  const carrel = engine.carrelFor(personHere())
  if (!runs) return { carrel, how: 'embedded', url: null, hurry: NOTHING_TO_CLOSE.hurry, close: () => engine.close() }
  const door = await openDoor(engine)
  const leaving = new AbortController()
  const close = async (): Promise<void> => {
    await untilUnused(cli, carrel, leaving)
    removeServerFile(config.dataFolder, process.pid)
    await door?.close()
    await engine.close()
  }
  return { carrel, how: 'embedded', url: door?.url ?? null, hurry: () => leaving.abort(), close }
}

/**
 * Opens the engine on its data folder.
 * @throws unavailable in words that name the process when another one holds the folder
 */
export async function openFolder(cli: Cli, config: Config, how: { rejoinsAgents?: boolean } = {}): Promise<Engine> {
  const { env, home } = cli.world
  // Loaded here, since most commands talk to a running server and need not wait for all of this to be read.
  const { openEngine } = await import('../../engine/open.ts')
  try {
    return await openEngine(config, { ...how, env, home, say: stagesOf(cli), version: VERSION })
  } catch (thrown) {
    const error = asCarrelError(thrown)
    const { pid } = (error.data ?? {}) as { pid?: unknown }
    if (error.code !== 'unavailable' || typeof pid !== 'number') throw thrown
    const server = readServerFile(config.dataFolder)
    const silent =
      server?.pid === pid ? `, and its server at ${server.url} does not answer` : ', and serves nobody else'
    throw new CarrelError(
      'unavailable',
      `Process ${pid} is using the data folder ${config.dataFolder}${silent}. Wait until it is done, end it, or use another folder with --data.`,
      { folder: config.dataFolder, pid, url: server?.url ?? null },
      thrown,
    )
  }
}

/** Lets `carrel answer`, `ps` and the others in while this process holds the folder. Null when no port can be had. */
async function openDoor(engine: Engine): Promise<{ url: string; close(): Promise<void> } | null> {
  try {
    const { serveHttp } = await import('../http/http.ts')
    const door = await serveHttp(engine, { webFolder: null, host: '127.0.0.1', port: 0, version: VERSION })
    writeServerFile(engine.config.dataFolder, { url: door.url, pid: process.pid, startedAt: Date.now() })
    return door
  } catch {
    return null
  }
}

/** Others may have begun runs here meanwhile; they end first, unless the person at this terminal presses Ctrl-C. */
async function untilUnused(cli: Cli, carrel: Carrel, leaving: AbortController): Promise<void> {
  const stop = (): void => leaving.abort()
  process.once('SIGINT', stop)
  let looks = 0
  while (!leaving.signal.aborted) {
    const { liveRuns } = await carrel.call('server.status', {})
    if (liveRuns === 0) break
    // A run that just ended is put away in a moment; that is not worth a word.
    if (looks === QUIET_LOOKS)
      cli.term.note(`Waiting for ${liveRuns} more to end in this Carrel. Ctrl-C does not wait.`)
    looks += 1
    await pause(LOOK_MS)
  }
  process.off('SIGINT', stop)
}
