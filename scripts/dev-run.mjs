import { mkdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { subscribe } from '@parcel/watcher'
import { ROOT } from './carried.mjs'
import { openPage } from './dev-page.mjs'
import { tryPort } from './dev-ports.mjs'
import { countKeepers, createServerProcess } from './dev-server.mjs'

const SERVER_PORT = 4800
const PAGE_PORT = 5173
/** Editors write in several steps, and git changes many files. ms. */
const SETTLE_MS = 150
/** A terminal and a starter may pass on the same Ctrl-C. ms. */
const ONE_WISH_MS = 500

const print = (line) => console.log(line)

/** Serves until SIGINT or SIGTERM. Throws a sentence for a person when it cannot begin. */
export async function develop(options) {
  const { data } = options
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const port = await choosePort('--port', options.port, SERVER_PORT)
  const pagePort = await choosePort('--page-port', options.pagePort, PAGE_PORT, port)
  const stopped = stopSignal()
  const server = createServerProcess({ port, data, inspect: options.inspect, print })
  const refused = refusal(server)
  const restarts = createRestarts(server, pagePort)
  print(`data    ${data}`)
  const page = await openPage({ port: pagePort, serverPort: port, data })
  const watching = await watchSources(restarts.changed)
  try {
    // No change of a source mends a first start that is refused: a folder in use, a wrong setting.
    const outcome = await Promise.race([restarts.begin().then(() => refused.over()), refused.first, stopped.first])
    if (outcome?.message) throw new Error(`carrel: ${outcome.message}`)
    await stopped.first
  } finally {
    stopped.second.then(() => {
      print('Stopped without waiting.')
      server.kill()
      process.exit(130)
    })
    await watching.unsubscribe()
    await restarts.end()
    await page.close()
  }
  print(farewell(countKeepers(data)))
  process.exit()
}

/** Returns `first`, which resolves with the error that refuses the first start; after `over` a refusal is only printed. */
function refusal(server) {
  const first = Promise.withResolvers()
  let over = false
  server.whenRefused((error) => {
    if (!over) first.resolve(error)
    return !over
  })
  return {
    first: first.promise,
    over: () => {
      over = true
    },
  }
}

/** Starts the server, and starts it again after each change. One step at a time; changes meanwhile become one more. */
function createRestarts(server, pagePort) {
  let starts = 0
  let wanted = false
  let ended = false
  let working = null
  let interrupt = () => {}

  async function step() {
    while (wanted && !ended) {
      wanted = false
      await server.stop()
      if (ended) break
      const began = performance.now()
      const interrupted = new Promise((resolve) => {
        interrupt = resolve
      })
      const ready = await Promise.race([server.start(), interrupted])
      if (ready) tell(ready, performance.now() - began)
    }
  }

  function tell({ url, loginUrl, pid }, ms) {
    starts += 1
    print(`server  ${url}, process ${pid}, ready after ${(ms / 1000).toFixed(1)} s`)
    if (starts > 1) return
    const login = new URL(loginUrl)
    login.port = String(pagePort)
    print(`page    ${login}\n        This address logs you in; keep it to yourself. Ctrl-C stops both.`)
  }

  function restart() {
    wanted = true
    interrupt(null)
    working ??= step().finally(() => {
      working = null
    })
    return working
  }

  return {
    begin: restart,
    changed(paths) {
      const more = paths.length > 1 ? ` and ${paths.length - 1} more` : ''
      print(`server  ${paths[0]}${more} changed: restarting, agents go on`)
      void restart()
    },
    async end() {
      ended = true
      interrupt(null)
      await working
      await server.stop()
    },
  }
}

/** Calls `changed` with paths of sources, once they have settled. Tests are no part of the server. */
function watchSources(changed) {
  let paths = new Set()
  let timer
  return subscribe(join(ROOT, 'src'), (error, events) => {
    if (error) return print(`Changes in src are no longer seen (${error.message}). Start \`npm run dev\` again.`)
    const sources = events.map(({ path }) => path).filter((path) => /\.ts$/.test(path) && !/\.test\.ts$/.test(path))
    if (sources.length === 0) return
    for (const path of sources) paths.add(relative(ROOT, path))
    clearTimeout(timer)
    timer = setTimeout(() => {
      const settled = [...paths]
      paths = new Set()
      changed(settled)
    }, SETTLE_MS)
  })
}

/** Returns `given`, or `preferred` where none is given and nobody has it, or a free port. Never `other`. */
async function choosePort(option, given, preferred, other = null) {
  const port = await tryPort(given ?? preferred)
  if (port !== null && port !== other) return port
  if (given) throw new Error(`Port ${given} is taken. Choose another with ${option}, or ${option} 0 for a free one.`)
  return choosePort(option, 0, preferred, other)
}

/** Returns `first`, which resolves at the first signal or at the death of our starter, and `second` for a later one. */
function stopSignal() {
  const first = Promise.withResolvers()
  const second = Promise.withResolvers()
  let at = null
  const hear = () => {
    if (at === null) {
      at = performance.now()
      print('Stopping. Ctrl-C again does not wait.')
      first.resolve(null)
    } else if (performance.now() - at > ONE_WISH_MS) second.resolve()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, hear)
  process.once('disconnect', hear)
  process.channel?.unref()
  return { first: first.promise, second: second.promise }
}

function farewell(agents) {
  if (agents === 0) return 'Stopped. No agent is at work.'
  const who = agents === 1 ? '1 agent goes on' : `${agents} agents go on`
  return `Stopped. ${who} for \`outliveMs\`, 10 minutes by default; the next \`npm run dev\` takes up with them.`
}
