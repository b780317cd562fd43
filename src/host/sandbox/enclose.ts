import { chmod, lstat, mkdir, realpath, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import { bestEffort } from '../../primitives/best-effort.ts'
import { errorCode } from '../../primitives/error-code.ts'
import { programFile } from '../../primitives/programs.ts'
import { temporaryVariables } from '../identity/temporary.ts'
import type { Place } from '../places/place.ts'
import type { Containment } from '../process/containment.ts'
import type { Access } from './access.ts'
import { type Upstream, upstreamOf } from './proxy.ts'
import { proxyPath } from './socket-path.ts'
import { containmentOf, type Wall } from './walls.ts'

/** Sandbox of an agent. */
export interface SandboxSpec extends Access {
  readonly mode: 'guard' | 'strict'
  /** Hosts that a strict sandbox permits. */
  readonly hosts: readonly string[]
  /** Place of the agent, by its own path and by this process's. */
  readonly place: Pick<Place, 'path' | 'root' | 'outside'>
  /** True when the agent may read its place and not write it. */
  readonly onlyReads?: boolean
  /** Folders of Carrel with sockets, each mounted below `/run`. */
  readonly shows?: readonly Shown[]
  /** Ports of a strict sandbox's loopback that lead to sockets, by their paths inside. */
  readonly leads?: readonly { readonly port: number; readonly socket: string }[]
}

interface Shown {
  readonly path: string
  readonly from: string
  readonly may: 'read' | 'write'
}

export interface Enclosure {
  readonly containment: Containment
  /** Environment of the agent and its terminals. */
  readonly env: Readonly<Record<string, string>>
  /** Proxy that its keeper serves; null where the network is open. */
  readonly proxy: {
    readonly socket: string
    readonly hosts: readonly string[]
    readonly upstream: Upstream | null
  } | null
}

/** Port on the sandbox's own loopback, which no other process uses. */
const PORT = 3128
const TMP = '/tmp'
/** Folder with sockets of the whole machine. */
const RUN = '/run'
const OUT = '/run/carrel'
/** Parts of it that programs need: name resolution, and on some systems all programs. */
const OF_RUN = ['/run/systemd/resolve', '/run/current-system', '/run/opengl-driver', '/run/nscd', '/etc/resolv.conf']
/** Files of a git folder that another person's git runs or obeys. */
const GIT_ORDERS = ['config', 'config.worktree', 'hooks', 'commondir', 'gitdir']

/**
 * Builds the walls of a sandbox from the paths that exist. `folder` is the agent's own in the data folder; its
 * temporary folder is made there and removed with it. The same call after a restart of the server gives the same
 * sandbox.
 */
export async function enclose(
  sandbox: SandboxSpec,
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<Enclosure> {
  const strict = sandbox.mode === 'strict'
  const socket = proxyPath(folder)
  const tmp = join(folder, 'tmp')
  for (const made of strict ? [tmp, dirname(socket)] : [tmp]) await mkdir(made, { recursive: true, mode: 0o700 })
  const sealed = join(folder, 'sealed')
  // The file of an earlier start is closed to writing; chmod fails when there is none.
  await bestEffort(writeFile(sealed, ''))
  await chmod(sealed, 0)
  const walls: Wall[] = [
    { path: TMP, may: 'write', from: tmp },
    { path: RUN, may: 'nothing', is: 'folder' },
    ...(await seen([...sandbox.see, ...sandbox.place.outside.reads, ...OF_RUN])),
    ...(await hidden(sandbox.hide)),
    ...(await written(sandbox.write)),
    ...(await kept(sandbox.read)),
    ...(sandbox.onlyReads ? readOnly(await placed(sandbox.place)) : await placed(sandbox.place)),
    ...(sandbox.shows ?? []),
    ...(strict ? [{ path: OUT, may: 'read', from: dirname(socket) } as const] : []),
  ]
  const leads = [{ port: PORT, socket: join(OUT, SOCKET) }, ...(sandbox.leads ?? [])]
  const led = leads.flatMap(({ port, socket }) => [String(port), socket])
  const relay = strict ? [process.execPath, relayFile(), ...led, '--'] : null
  const homely = sandbox.write.some((path) => path === `${env.HOME}/`)
  return {
    containment: containmentOf({ walls, sealed, root: process.getuid?.() === 0, relay }),
    env: { ...env, ...VARIABLES, ...(homely ? {} : CACHES), ...(strict ? PROXIES : {}) },
    proxy: strict ? { socket, hosts: sandbox.hosts, upstream: upstreamOf(env) } : null,
  }
}

const relayFile = () => fileURLToPath(programFile('relay', new URL('./relay.ts', import.meta.url)))
const SOCKET = 'proxy'
const VARIABLES = temporaryVariables(TMP)
/** Caches of download tools, because the home is not writable. */
const CACHES = { XDG_CACHE_HOME: `${TMP}/.cache`, npm_config_cache: `${TMP}/.cache/npm` }
export const WAY_OUT = `http://127.0.0.1:${PORT}`
const OWN_HOSTS = 'localhost,127.0.0.1,::1'
const PROXIES = {
  HTTP_PROXY: WAY_OUT,
  HTTPS_PROXY: WAY_OUT,
  ALL_PROXY: WAY_OUT,
  http_proxy: WAY_OUT,
  https_proxy: WAY_OUT,
  all_proxy: WAY_OUT,
  NO_PROXY: OWN_HOSTS,
  no_proxy: OWN_HOSTS,
  // Node ignores proxy variables by default.
  NODE_USE_ENV_PROXY: '1',
}

const seen = async (paths: readonly string[]): Promise<Wall[]> =>
  (await realOf(paths)).map((path) => ({ path, may: 'see' as const }))

const kept = async (paths: readonly string[]): Promise<Wall[]> =>
  (await realOf(paths)).map((path) => ({ path, may: 'read' as const }))

async function realOf(paths: readonly string[]): Promise<string[]> {
  const real = await Promise.all(paths.map(reachable))
  return real.filter((path) => path !== null)
}

/** Returns the real path; null out of this user's reach. @throws every other error: a folder would stay open */
async function reachable(path: string): Promise<string | null> {
  try {
    return await absentAsNull(realpath(path))
  } catch (thrown) {
    if (['EACCES', 'ELOOP'].includes(errorCode(thrown))) return null
    throw thrown
  }
}

/** Returns walls for existing paths: only those can be covered. */
async function hidden(paths: readonly string[]): Promise<Wall[]> {
  const walls = await Promise.all(
    paths.map(async (named): Promise<Wall[]> => {
      const path = await reachable(named)
      const found = path === null ? null : await absentAsNull(lstat(path))
      if (path === null || found === null) return []
      return [{ path, may: 'nothing', is: found.isDirectory() ? 'folder' : 'file' }]
    }),
  )
  return walls.flat()
}

async function written(paths: readonly string[]): Promise<Wall[]> {
  const walls = await Promise.all(
    paths.map(async (named): Promise<Wall[]> => {
      if (named.endsWith('/')) await mkdir(named, { recursive: true, mode: 0o700 })
      const path = await reachable(named)
      return path === null ? [] : [{ path, may: 'write' }]
    }),
  )
  return walls.flat()
}

/**
 * Returns walls for the place and the folders that belong to it, except files that give orders to another person's git.
 * An agent may have made anything in there, so no link is followed.
 */
async function placed({ path, root, outside }: SandboxSpec['place']): Promise<Wall[]> {
  const top = path === root ? await realpath(path) : path
  const git = join(top, '.git')
  const found = await absentAsNull(lstat(join(root, '.git')))
  const own: Wall[] = found?.isFile() ? [{ path: git, may: 'read' }] : []
  const inside = found?.isDirectory() ? await orders(git, join(root, '.git')) : []
  return [{ path: top, may: 'write' }, ...own, ...inside, ...(await Promise.all(outside.writes.map(belonging))).flat()]
}

const readOnly = (walls: readonly Wall[]): Wall[] => walls.map(({ path }) => ({ path, may: 'read' }))

async function belonging(folder: string): Promise<Wall[]> {
  await mkdir(folder, { recursive: true })
  // An agent with write access next to it could have put a link there.
  if ((await realpath(folder)) !== folder) return []
  return [{ path: folder, may: 'write' }, ...(await orders(folder, folder))]
}

/** @param at path of the folder for this process */
async function orders(folder: string, at: string): Promise<Wall[]> {
  const walls = GIT_ORDERS.map(async (name): Promise<Wall[]> => {
    const found = await absentAsNull(lstat(join(at, name)))
    return found?.isFile() || found?.isDirectory() ? [{ path: join(folder, name), may: 'read' }] : []
  })
  return (await Promise.all(walls)).flat()
}
