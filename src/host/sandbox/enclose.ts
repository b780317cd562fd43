import { chmod, lstat, mkdir, realpath, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import { bestEffort } from '../../primitives/best-effort.ts'
import { errorCode } from '../../primitives/error-code.ts'
import { programFile } from '../../primitives/programs.ts'
import { temporaryVariables } from '../identity/temporary.ts'
import { proxyPath } from '../keeper/protocol.ts'
import type { Place } from '../places/place.ts'
import type { Containment } from '../process/containment.ts'
import type { Access } from './access.ts'
import { type Upstream, upstreamOf } from './proxy.ts'
import { containmentOf, type Wall } from './walls.ts'

/** What an agent is to be kept in. */
export interface Sandbox extends Access {
  readonly mode: 'guard' | 'strict'
  /** What a strict one lets through. */
  readonly hosts: readonly string[]
  /** Where it works, as it sees it, and where this process finds the same. */
  readonly place: Pick<Place, 'path' | 'root' | 'outside'>
  /** What is at its place it may read and not write. */
  readonly onlyReads?: boolean
  /** Folders of Carrel's for sockets, each at a path of its own below `/run`. */
  readonly shows?: readonly Shown[]
  /** Ports of a strict one's loopback that lead to sockets, as it sees them. */
  readonly leads?: readonly { readonly port: number; readonly socket: string }[]
}

export interface Shown {
  readonly path: string
  readonly from: string
  readonly may: 'read' | 'write'
}

export interface Enclosure {
  readonly containment: Containment
  /** Of the agent and its terminals. */
  readonly env: Readonly<Record<string, string>>
  /** What its keeper serves; null where the network is open. */
  readonly proxy: {
    readonly socket: string
    readonly hosts: readonly string[]
    readonly upstream: Upstream | null
  } | null
}

/** Its own loopback, so that nobody else has it. */
const PORT = 3128
const TMP = '/tmp'
/** Sockets of everything that runs on the machine are there. */
const RUN = '/run'
const OUT = '/run/carrel'
/** What programs look for there: names of hosts, and on some systems all programs. */
const OF_RUN = ['/run/systemd/resolve', '/run/current-system', '/run/opengl-driver', '/run/nscd', '/etc/resolv.conf']
/** What somebody else's git runs or obeys, in a folder of git. */
const GIT_ORDERS = ['config', 'config.worktree', 'hooks', 'commondir', 'gitdir']

/**
 * Looks at what there is of what a sandbox names, and builds its walls. `folder` is the agent's own in the data folder: its temporary
 * folder is made there and goes with it. The same call after a restart of the server gives the same sandbox.
 */
export async function enclose(
  sandbox: Sandbox,
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
/** Tools that fetch things keep them in the home, which cannot be written. */
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
  // Node asks for no proxy by itself.
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

/**
 * Returns the real path; null for a path that this process cannot reach by its rights, since the agent is the same user.
 *
 * @throws every other error: a folder that should be hidden would stay open
 */
async function reachable(path: string): Promise<string | null> {
  try {
    return await absentAsNull(realpath(path))
  } catch (thrown) {
    if (['EACCES', 'ELOOP'].includes(errorCode(thrown))) return null
    throw thrown
  }
}

/** Only what is there can be covered. */
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
 * The place itself and what belongs to it, without what would give orders to somebody else's git. In there everything may
 * have been made by an agent: no link is followed.
 */
async function placed({ path, root, outside }: Sandbox['place']): Promise<Wall[]> {
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
  // Whoever may write next to it could have put a link there.
  if ((await realpath(folder)) !== folder) return []
  return [{ path: folder, may: 'write' }, ...(await orders(folder, folder))]
}

/** `at` is where this process finds the folder. */
async function orders(folder: string, at: string): Promise<Wall[]> {
  const walls = GIT_ORDERS.map(async (name): Promise<Wall[]> => {
    const found = await absentAsNull(lstat(join(at, name)))
    return found?.isFile() || found?.isDirectory() ? [{ path: join(folder, name), may: 'read' }] : []
  })
  return (await Promise.all(walls)).flat()
}
