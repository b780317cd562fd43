import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { provideNode, ROOT } from './carried.mjs'

/** Runs `npm ci` in `folder` unless what its lockfile asks for is already there, and provides a Node. Throws when npm fails. */
export async function install(folder = ROOT) {
  const node = await provideNode()
  await installPackages(folder)
  linkNode(folder, node)
}

async function installPackages(folder) {
  if (isInstalled(folder)) return
  console.log(`Installing the packages of ${folder} (once, about a minute) ...`)
  const code = await npm(
    ['ci', '--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    folder,
  )
  if (code !== 0)
    throw new Error(
      `The packages could not be installed: \`npm ci\` in ${folder} ended with ${code}. Its messages are above.`,
    )
}

/**
 * Makes `node` the Node of everything that npm and an editor run in `folder`, by a link to it: npm puts the folder of the
 * link first on the path. Safe to repeat.
 */
export function linkNode(folder, node) {
  const bin = join(folder, 'node_modules', '.bin')
  const link = join(bin, process.platform === 'win32' ? 'node.cmd' : 'node')
  if (process.platform !== 'win32' && existsSync(link) && realpathSync(link) === realpathSync(node)) return
  mkdirSync(bin, { recursive: true })
  const made = `${link}-${process.pid}`
  if (process.platform === 'win32') writeFileSync(made, `@"${node}" %*\r\n`)
  else symlinkSync(node, made)
  renameSync(made, link)
}

/**
 * Whether the lockfile npm keeps inside node_modules agrees with the project's.
 * Optional packages may be missing: they are mostly for other platforms.
 */
export function isInstalled(folder) {
  const wanted = readLock(join(folder, 'package-lock.json'))
  const present = readLock(join(folder, 'node_modules', '.package-lock.json'))
  if (!wanted || !present) return false
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '' || entry.link) return true
    const found = present[path]
    if (!found) return entry.optional === true
    return found.version === entry.version && found.integrity === entry.integrity && existsSync(join(folder, path))
  })
}

function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages
  } catch {
    return undefined
  }
}

/** Prints a line now and then, since npm is silent for up to a minute when its output is not a terminal. */
async function npm(args, cwd) {
  const started = Date.now()
  const waiting = setInterval(
    () => console.log(`  still installing, ${Math.round((Date.now() - started) / 1000)} s`),
    15_000,
  )
  try {
    return await new Promise((resolve, reject) => {
      // npm started us and says where it is; a direct start finds it on the path.
      const cli = process.env.npm_execpath
      const child = cli?.endsWith('.js')
        ? spawn(process.execPath, [cli, ...args], { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
        : spawn('npm', args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
      child.on('error', reject)
      child.on('exit', (code, signal) => resolve(signal ?? code))
    })
  } finally {
    clearInterval(waiting)
  }
}
