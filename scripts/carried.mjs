import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

// Runs on Node 20 and without node_modules, as everything that `npm start` loads before the installation.

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..')

const require = createRequire(import.meta.url)
const carried = require('../runtime/carried-node.cjs')

/** Returns the path of a Node that can run Carrel. Throws a sentence for a person when none is at hand. */
export function findNode() {
  const node = carried.findNode()
  if (node !== null) return node
  const why = `Carrel needs Node ${carried.NEEDED} or newer; this is ${process.version}.`
  throw new Error(`${why} Run \`npm start\` once, which fetches one. ${carried.REMEDY}`)
}

/** Resolves with the path of a Node that can run Carrel; fetches one where this one is too old and none is kept. */
export async function provideNode() {
  return carried.findNode() ?? (await carried.fetchNode((line) => console.log(line)))
}

/** Path of the file that the package `name` declares as its command `command`. */
export function findCommand(name, command) {
  const manifest = join(ROOT, 'node_modules', name, 'package.json')
  const { bin } = require(manifest)
  return join(dirname(manifest), typeof bin === 'string' ? bin : bin[command])
}
