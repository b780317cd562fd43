import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { PACKAGE_ROOT } from '../../src/primitives/programs.ts'

/** Output and end of a command. */
interface CommandResult {
  readonly exit: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Carrel after `npm install -g`: from the tarball, in an empty prefix, with a new home. */
export interface PackageWorld {
  readonly top: string
  readonly tarball: string
  /** Root folder of the installed package. */
  readonly root: string
  /** Size of the whole installation in bytes. */
  readonly size: number
  /** Creates a new folder. */
  folder(name: string): string
  /** Runs a command with the Node at `node` first on the PATH: the command of the package, or npm's. */
  run(
    node: string,
    args: readonly string[],
    more?: { cwd?: string; env?: Record<string, string> },
  ): Promise<CommandResult>
  start(node: string, args: readonly string[], more?: { cwd?: string; env?: Record<string, string> }): Started
  close(): Promise<void>
}

interface Started {
  readonly child: ChildProcessWithoutNullStreams
  /** Waits for a match in stdout. Rejects when the process ends without one. */
  until(pattern: RegExp): Promise<RegExpExecArray>
  readonly ended: Promise<CommandResult>
}

/** Packs this checkout and installs it, with the npm of this machine. */
export function openPackageWorld(): PackageWorld {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'carrel-package-')))
  const folder = (name: string) => {
    const path = join(top, name)
    mkdirSync(path)
    return path
  }
  const home = folder('home')
  const prefix = folder('prefix')
  const npm = (...args: string[]) => execFileSync('npm', args, { cwd: PACKAGE_ROOT, encoding: 'utf8', stdio: 'pipe' })
  const [packed] = JSON.parse(npm('pack', '--json', '--pack-destination', top)) as [{ filename: string }]
  const tarball = join(top, packed.filename)
  npm('install', '--global', '--prefix', prefix, ...QUIET, tarball)
  const base = {
    HOME: home,
    // Shares the cache of fetched Nodes: no test fetches one again.
    XDG_CACHE_HOME: process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
    CARREL_DATA_FOLDER: join(top, 'data'),
    CARREL_OUTLIVE_MS: '0',
    npm_config_cache: npm('config', 'get', 'cache').trim(),
    npm_config_update_notifier: 'false',
  }
  const children = new Set<ChildProcessWithoutNullStreams>()
  const start: PackageWorld['start'] = (node, [command = '', ...args], { cwd = home, env = {} } = {}) => {
    const PATH = [join(node, '..'), join(prefix, 'bin'), outsidePath()].join(delimiter)
    const child = spawn(command, args, { cwd, env: { ...base, PATH, ...env } })
    children.add(child)
    return watch(child)
  }
  return {
    top,
    tarball,
    root: join(prefix, 'lib', 'node_modules', 'carrel'),
    size: sizeOf(prefix),
    folder,
    start,
    run: (node, args, more) => {
      const started = start(node, args, more)
      started.child.stdin.end()
      return started.ended
    },
    async close() {
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      rmSync(top, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Flags of npm for a person who distrusts packages' scripts; npm fetches nothing twice. */
export const QUIET = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'] as const

/**
 * Returns the path of a Node 20, the oldest that the package installs with: the one on the PATH, else the registry's,
 * which stays in npm's cache.
 */
export function findOldNode(top: string): string {
  const found = outsidePath()
    .split(delimiter)
    .map((each) => join(each, 'node'))
    .find((node) => existsSync(node) && versionOf(node).startsWith('v20.'))
  if (found) return found
  const name = `node-${process.platform}-${process.arch}`
  execFileSync('npm', ['install', '--prefix', top, ...QUIET, `${name}@20.20.2`], { stdio: 'pipe' })
  return join(top, 'node_modules', name, 'bin', 'node')
}

const versionOf = (node: string) => execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()

/** Returns the PATH without the folders of this checkout. */
function outsidePath(): string {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.filter((each) => !each.startsWith(PACKAGE_ROOT)).join(delimiter)
}

function watch(child: ChildProcessWithoutNullStreams): Started {
  let stdout = ''
  let stderr = ''
  const changed = new Set<() => void>()
  const tell = () => {
    for (const listener of changed) listener()
  }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
    tell()
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const ended = new Promise<CommandResult>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exit) => resolve({ exit, stdout, stderr }))
  })
  return {
    child,
    ended,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(stdout)
          if (match) resolve(match)
        }
        changed.add(look)
        look()
        ended.then(
          (result) =>
            reject(new Error(`The process ended without output that matches ${pattern}: ${JSON.stringify(result)}`)),
          reject,
        )
      }),
  }
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}
