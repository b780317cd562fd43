import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { PACKAGE_ROOT } from '../../src/primitives/programs.ts'

/** What a command said, and how it ended. */
export interface Said {
  readonly exit: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Carrel as somebody has it who ran `npm install -g`: from the tarball, in an empty prefix, with a home of their own. */
export interface PackageWorld {
  readonly top: string
  readonly tarball: string
  /** Of the installed package. */
  readonly root: string
  /** All that was installed, in bytes. */
  readonly size: number
  /** A new folder. */
  folder(name: string): string
  /** Runs `words` with the Node at `node` first on the PATH: the command of the package, or npm's. */
  run(node: string, words: readonly string[], more?: { cwd?: string; env?: Record<string, string> }): Promise<Said>
  start(node: string, words: readonly string[], more?: { cwd?: string; env?: Record<string, string> }): Started
  close(): Promise<void>
}

export interface Started {
  readonly child: ChildProcessWithoutNullStreams
  /** Resolves when stdout matches. Rejects when it ended without. */
  until(pattern: RegExp): Promise<RegExpExecArray>
  readonly ended: Promise<Said>
}

/** Packs and installs what is in this checkout, with the npm of this machine. */
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
    // A Node that this machine has fetched already is not fetched again.
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
    run: (node, words, more) => {
      const started = start(node, words, more)
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

/** As npm is run by who trusts no package's scripts; what it has fetched before is not fetched again. */
export const QUIET = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'] as const

/**
 * Path of a Node 20, the oldest that the package installs with: the one on the PATH, else the registry's, which lies in
 * npm's cache from then on.
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

/** The PATH without what belongs to this checkout. */
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
  const ended = new Promise<Said>((resolve, reject) => {
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
        ended.then((said) => reject(new Error(`It ended without saying ${pattern}: ${JSON.stringify(said)}`)), reject)
      }),
  }
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}
