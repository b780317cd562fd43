import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ROOT } from './carried.mjs'

/** A server that has not stopped by then is killed; its agents go on all the same. ms. */
const STOP_MS = 10_000
/** The default of `outliveMs`, for those who set it to 0: a restart must not end agents (P5). ms. */
const OUTLIVE_MS = '600000'

/**
 * Returns the server's process, which may be stopped and started any number of times on one port and one data folder.
 * `print` takes a line for a person.
 */
export function createServerProcess({ port, data, inspect, print }) {
  let child = null
  let stopping = null
  let onRefused = () => false

  /** Starts the server. Resolves with `{ url, loginUrl, pid }` once it answers, or with null when it ended before. */
  function start() {
    const inspector = inspect === null ? [] : [`--inspect=127.0.0.1:${inspect}`]
    const serve = ['serve', '--json', '--no-web', '--host', '127.0.0.1', '--port', String(port), '--data', data]
    const started = spawn(process.execPath, [...inspector, join(ROOT, 'bin', 'carrel.cjs'), ...serve], {
      cwd: ROOT,
      env: environment(process.env, data),
      // A group of its own: Ctrl-C in the terminal is for the script, which stops the server in its turn.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    child = started
    createInterface({ input: started.stderr }).on('line', (line) => tell(line))
    return new Promise((resolve) => {
      createInterface({ input: started.stdout }).on('line', (line) => {
        const ready = parse(line)
        if (ready?.loginUrl) resolve(ready)
        else print(line)
      })
      started.once('error', (error) => print(error.message))
      started.once('close', (code, signal) => {
        if (child === started) {
          child = null
          print(`server  ended with ${signal ?? `exit code ${code}`}; waiting for the next change in src`)
        }
        resolve(null)
      })
    })
  }

  /** Prints a line of the server; an error that comes as JSON is printed as its sentence. */
  function tell(line) {
    const error = parse(line)?.error
    if (!error?.message) return print(line)
    // A listener that gives up prints the sentence itself, and no change is waited for.
    if (error.code !== 'internal' && onRefused(error)) [stopping, child] = [child, null]
    else print(`carrel: ${error.message}`)
  }

  /** Stops the server cleanly: agents at work stay with their keepers. Resolves when its process is gone. Safe to repeat. */
  async function stop() {
    stopping = child ?? stopping
    child = null
    if (stopping === null || stopping.exitCode !== null || stopping.signalCode !== null) return
    const { promise: gone, resolve } = Promise.withResolvers()
    stopping.once('close', resolve)
    stopping.kill('SIGTERM')
    const late = setTimeout(() => {
      print(`server  did not stop within ${STOP_MS / 1000} s and is killed; agents go on`)
      stopping.kill('SIGKILL')
    }, STOP_MS)
    await gone
    clearTimeout(late)
  }

  return {
    start,
    stop,
    kill: () => (child ?? stopping)?.kill('SIGKILL'),
    /** Calls `listener` with `{ code, message }` when a start is refused in words; it returns true when it gives up. */
    whenRefused: (listener) => {
      onRefused = listener
    },
  }
}

function parse(line) {
  try {
    return line.startsWith('{') ? JSON.parse(line) : null
  } catch {
    return null
  }
}

/** Returns the environment of the server: ours, without the names that lead to real data. */
function environment(source, data) {
  const { CARREL_DATA_FOLDER: _folder, CARREL_DATABASE_URL: _database, ...env } = source
  const outlive = env.CARREL_OUTLIVE_MS ?? readConfig(data).outliveMs
  return {
    ...env,
    // `bin/carrel.cjs` then stops the server when the channel closes, so that it never outlives this script.
    CARREL_RESTARTED: '1',
    ...(outlive === undefined || Number(outlive) > 0 ? {} : { CARREL_OUTLIVE_MS: OUTLIVE_MS }),
  }
}

/** Returns an empty object for a file that cannot be read: the server reports its error. */
function readConfig(data) {
  try {
    return JSON.parse(readFileSync(join(data, 'config.json'), 'utf8'))
  } catch {
    return {}
  }
}

/** Counts the agents of a data folder that work without a server, by their keepers. */
export function countKeepers(data) {
  const keepers = join(data, 'keepers')
  return (existsSync(keepers) ? readdirSync(keepers) : []).filter((name) => runs(join(keepers, name, 'keeper.json')))
    .length
}

function runs(note) {
  try {
    process.kill(JSON.parse(readFileSync(note, 'utf8')).keeper.identity.pid, 0)
    return true
  } catch {
    return false
  }
}
