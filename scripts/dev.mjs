import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { findNode } from './carried.mjs'
import { HELP, readOptions } from './dev-options.mjs'
import { install } from './install.mjs'

// `npm run dev`: server and page for work on Carrel. Runs on Node 20 with nothing installed, then on the carried Node.
try {
  const options = readOptions(process.argv.slice(2), process.env.INIT_CWD ?? process.cwd())
  if (options.help) console.log(HELP)
  else {
    await install()
    if (Number(process.versions.node.split('.')[0]) < 24) handOver(findNode())
    else if (options.pids || options.debug !== null) {
      const { debugProcess, printProcesses } = await import('./dev-processes.mjs')
      if (options.pids) await printProcesses(options)
      else await debugProcess(options)
    } else {
      const { develop } = await import('./dev-run.mjs')
      await develop(options)
    }
  }
} catch (error) {
  console.error(error.message)
  process.exit(1)
}

/** Goes on in a newer Node. The channel tells that one when this process dies, also by SIGKILL. */
function handOver(node) {
  const stdio = ['inherit', 'inherit', 'inherit', 'ipc']
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio })
  child.on('error', (error) => {
    console.error(`The Node at ${node} cannot be started (${error.message}). Remove node_modules and try again.`)
    process.exit(1)
  })
  // A terminal sends SIGINT to the child as well; a second one would look like impatience.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(signal ? 1 : code))
}
