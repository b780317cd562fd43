import { userInfo } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import type { Carrel } from '../../api/index.ts'
import type { Engine } from '../../engine/engine.ts'
import { asCarrelError, CarrelError } from '../../model/errors.ts'
import type { Config } from '../../model/settings/config.ts'
import type { Caller } from '../../model/tree.ts'
import { TOKEN_HOLDER } from '../../model/who-words.ts'
import type { Cli } from './cli.ts'
import { VERSION } from './installation.ts'
import { badInput } from './problem.ts'
import { stagesOf } from './progress.ts'
import { askServer, readServerFile, readToken, removeServerFile, writeServerFile } from './server-file.ts'

/** Access of a command to Carrel. */
export interface CarrelAccess {
  readonly carrel: Carrel
  /** `named`: the server of `--url`. `server`: the server of this data folder. `embedded`: Carrel in this process. */
  readonly how: 'named' | 'server' | 'embedded'
  readonly url: string | null
  /** Makes `close` of an embedded Carrel stop waiting for runs, including those of other commands. */
  hurry(): void
  /** Idempotent. */
  close(): Promise<void>
}

const NOTHING_TO_CLOSE = { hurry: () => undefined, close: async () => undefined }

const PATIENCE_MS = 3_000
/** Interval of checks whether an embedded Carrel still has active runs. ms. */
const CHECK_MS = 50
const QUIET_CHECKS = 40

/** Returns the person at this terminal, as named in logs. */
export const personHere = (): Caller => ({ name: nameHere(), kind: 'person', face: 'cli', workspaces: null })

function nameHere(): string {
  try {
    return userInfo().username
  } catch {
    return TOKEN_HOLDER
  }
}

/** Opens access: to the named server, else the running server of the data folder, else Carrel in this process. */
export async function reach(cli: Cli, need: { readonly runs: boolean }): Promise<CarrelAccess> {
  if (cli.remote) return reachNamed(cli.remote)
  return (await reachServer(cli.dataFolder)) ?? embed(cli, need)
}

async function reachNamed({ url, token }: { url: string; token: string | null }): Promise<CarrelAccess> {
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw badInput(`${JSON.stringify(url)} is not the address of a server. Use the form http://127.0.0.1:4747.`)
  if (token === null)
    throw new CarrelError(
      'unauthenticated',
      `The server at ${url} needs a token. Set --token or CARREL_TOKEN to the content of the file \`token\` in the server's data folder.`,
    )
  return { carrel: await clientOf(url, token), how: 'named', url, ...NOTHING_TO_CLOSE }
}

async function reachServer(dataFolder: string): Promise<CarrelAccess | null> {
  const token = readToken(dataFolder)
  const server = readServerFile(dataFolder)
  if (!server || !token || !(await askServer(server.url, token, PATIENCE_MS))) return null
  const { url } = server
  return { carrel: await clientOf(url, token), how: 'server', url, ...NOTHING_TO_CLOSE }
}

/** Imports the client late: help and version need no operations. */
async function clientOf(url: string, token: string): Promise<Carrel> {
  const { connect } = await import('../../client/client.ts')
  return connect({ url, token, face: 'cli' })
}

async function embed(cli: Cli, { runs }: { readonly runs: boolean }): Promise<CarrelAccess> {
  const { config } = cli.settings()
  // A command without runs must not start agents, which it would stop a moment later. A command with runs reattaches to
  // agents that outlived a server, and leaves no agents itself: no later process would reattach to them.
  const engine = runs
    ? await openFolder(cli, { ...config, outliveMs: 0 }, { rejoinsAgents: config.outliveMs > 0 })
    : await openFolder(cli, { ...config, runsAtOnce: 0 })
  const carrel = engine.carrelFor(personHere())
  if (!runs) return { carrel, how: 'embedded', url: null, hurry: NOTHING_TO_CLOSE.hurry, close: () => engine.close() }
  const server = await serveOthers(engine)
  const leaving = new AbortController()
  const close = async (): Promise<void> => {
    await untilUnused(cli, carrel, leaving)
    removeServerFile(config.dataFolder, process.pid)
    await server?.close()
    await engine.close()
  }
  return { carrel, how: 'embedded', url: server?.url ?? null, hurry: () => leaving.abort(), close }
}

/** Opens the engine on its data folder. @throws unavailable with the process id when another process uses the folder */
export async function openFolder(cli: Cli, config: Config, how: { rejoinsAgents?: boolean } = {}): Promise<Engine> {
  const { env, home } = cli.world
  // Imported here: most commands use a running server and do not need the engine.
  const { openEngine } = await import('../../engine/open.ts')
  try {
    return await openEngine(config, { ...how, env, home, say: stagesOf(cli), version: VERSION })
  } catch (thrown) {
    const error = asCarrelError(thrown)
    const { pid } = (error.data ?? {}) as { pid?: unknown }
    if (error.code !== 'unavailable' || typeof pid !== 'number') throw thrown
    const server = readServerFile(config.dataFolder)
    const silent = server?.pid === pid ? `, and its server at ${server.url} does not answer` : ' without a server'
    throw new CarrelError(
      'unavailable',
      `Process ${pid} is using the data folder ${config.dataFolder}${silent}. Wait until the process ends, stop it, or use another folder with --data.`,
      { folder: config.dataFolder, pid, url: server?.url ?? null },
      thrown,
    )
  }
}

/** Serves other commands (`carrel answer`, `ps`) while this process uses the folder. Null when no port is available. */
async function serveOthers(engine: Engine): Promise<{ url: string; close(): Promise<void> } | null> {
  try {
    const { serveHttp } = await import('../http/http.ts')
    const server = await serveHttp(engine, { webFolder: null, host: '127.0.0.1', port: 0, version: VERSION })
    writeServerFile(engine.config.dataFolder, { url: server.url, pid: process.pid, startedAt: Date.now() })
    return server
  } catch {
    return null
  }
}

/** Waits for runs that other commands started here, until Ctrl-C. */
async function untilUnused(cli: Cli, carrel: Carrel, leaving: AbortController): Promise<void> {
  const stop = (): void => leaving.abort()
  process.once('SIGINT', stop)
  let checks = 0
  while (!leaving.signal.aborted) {
    const { liveRuns } = await carrel.call('server.status', {})
    if (liveRuns === 0) break
    // A run that just ended counts for another moment; a short wait needs no message.
    if (checks === QUIET_CHECKS)
      cli.term.note(`Waiting for ${liveRuns} active ${liveRuns === 1 ? 'run' : 'runs'}. Press Ctrl-C to stop waiting.`)
    checks += 1
    await pause(CHECK_MS)
  }
  process.off('SIGINT', stop)
}
