import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { findKeepers } from '../src/host/keeper/client.ts'
import { below, processNow, processTable } from '../src/host/proc-table.ts'
import { tryPort } from './dev-ports.mjs'

/** Where Node opens the inspector of a process that gets SIGUSR1. */
const SIGNAL_PORT = 9229
const PATIENCE_MS = 5_000

/** Prints the processes of a data folder that a debugger can be attached to. */
export async function printProcesses({ data }) {
  const rows = await listProcesses(data)
  if (rows.length === 0) return console.log(`Nothing runs in ${data}. Start it with \`npm run dev\`.`)
  for (const { pid, kind, text } of rows) console.log(`${String(pid).padStart(8)}  ${kind.padEnd(7)} ${text}`)
}

/**
 * Opens the inspector of one process and moves it to a free port, so that the next one can be opened too.
 * Throws a sentence for a person when it is none of the data folder's, or cannot be reached.
 */
export async function debugProcess({ data, debug: pid }) {
  const rows = await listProcesses(data)
  // SIGUSR1 ends a program that is not Node.
  if (!rows.some((row) => row.pid === pid))
    throw new Error(`Process ${pid} is none of ${data}. \`npm run dev -- --pids\` lists them.`)
  if ((await tryPort(SIGNAL_PORT)) === null)
    throw new Error(
      `Port ${SIGNAL_PORT} is taken, where Node opens an inspector. End what listens there, often another debugger, and try again.`,
    )
  process.kill(pid, 'SIGUSR1')
  const opened = await findTarget(SIGNAL_PORT, pid)
  const port = await tryPort(0)
  const moved = await evaluate(opened.webSocketDebuggerUrl, movingTo(port))
  const { webSocketDebuggerUrl } = moved ? await findTarget(port, pid) : opened
  console.log(`Process ${pid} waits for a debugger at 127.0.0.1:${moved ? port : SIGNAL_PORT}.`)
  console.log(`  VS Code   "Attach to a port", ${moved ? port : SIGNAL_PORT}`)
  console.log(`  Chrome    chrome://inspect, Configure, 127.0.0.1:${moved ? port : SIGNAL_PORT}`)
  console.log(`  Terminal  node inspect 127.0.0.1:${moved ? port : SIGNAL_PORT}`)
  console.log(`  Protocol  ${webSocketDebuggerUrl}`)
}

/** Server, keepers and the Node processes of agents: what a debugger for JavaScript can attach to. */
async function listProcesses(data) {
  const table = await processTable()
  const server = readServer(data)
  const rows = server && processNow(server.pid) ? [{ pid: server.pid, kind: 'server', text: server.url }] : []
  for (const { keeper, note, runs } of await findKeepers(join(data, 'keepers'))) {
    if (!runs) continue
    rows.push({ pid: note.keeper.identity.pid, kind: 'keeper', text: `${keeper}, of ${note.label}` })
    const { pid } = note.agent.identity
    for (const row of [...table.filter((one) => one.pid === pid), ...below(pid, table)]) {
      const words = wordsOf(row)
      if (/^node(\.exe)?$/.test(basename(words[0] ?? '')))
        rows.push({ pid: row.pid, kind: 'agent', text: words.join(' ') })
    }
  }
  return rows
}

/** `ps` and the process table tell no arguments; where they cannot be read the name has to do. */
function wordsOf({ pid, command }) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean)
  } catch {
    return [command]
  }
}

function readServer(data) {
  try {
    return JSON.parse(readFileSync(join(data, 'server.json'), 'utf8'))
  } catch {
    return null
  }
}

async function findTarget(port, pid) {
  for (const until = performance.now() + PATIENCE_MS; performance.now() < until; await pause(50)) {
    try {
      const [target] = await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()
      if (target) return target
    } catch {
      // Not yet.
    }
  }
  throw new Error(
    `Process ${pid} opened no inspector within ${PATIENCE_MS / 1000} s. A process that computes opens it later; one in a strict sandbox has a network of its own, where nobody reaches it.`,
  )
}

/** Runs after this connection has ended, since closing waits for all connections. Node has `getBuiltinModule` from 20.16 on. */
const movingTo = (port) =>
  `typeof process.getBuiltinModule === 'function' && Boolean(setTimeout(() => {
    const inspector = process.getBuiltinModule('node:inspector')
    inspector.close()
    inspector.open(${port}, '127.0.0.1')
  }, 100))`

function evaluate(url, expression) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url)
    socket.onerror = () => reject(new Error(`The inspector at ${url} cannot be reached.`))
    socket.onopen = () => socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } }))
    socket.onmessage = ({ data }) => {
      const { id, result } = JSON.parse(data)
      if (id !== 1) return
      socket.close()
      resolve(result?.result?.value === true)
    }
  })
}
