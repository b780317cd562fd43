import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ROOT } from './carried.mjs'

export const HELP = `Usage: npm run dev -- [options]

Starts a server from the sources and the page with hot reload. A change in src restarts the server; agents at work go
on and the new server takes up with them. A change in web shows in the browser at once.

Options:
  --port <port>       port of the server (default: 4800, or a free one)
  --page-port <port>  port of the page (default: 5173, or a free one)
  --data <folder>     data folder (default: .dev in this checkout, so that no real data is touched)
  --inspect <port>    opens the server's inspector on this port, and again after each restart
  --pids              lists the running processes of the data folder: server, keepers, agents
  --debug <pid>       opens the inspector of one of them on a port of its own, and prints its address
  --help              prints this

CARREL_DATA_FOLDER and CARREL_DATABASE_URL are not used here. Settings may stand in config.json of the data folder.

Examples:
  $ npm run dev
  $ npm run dev -- --port 0 --page-port 3000 --data /tmp/carrel-two
  $ npm run dev -- --pids`

const OPTIONS = {
  port: { type: 'string' },
  'page-port': { type: 'string' },
  data: { type: 'string' },
  inspect: { type: 'string' },
  pids: { type: 'boolean' },
  debug: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
}

/**
 * Reads the words behind `npm run dev --`. A port that is left out is null, 0 takes a free one.
 * @throws Error with a sentence for a person
 */
export function readOptions(words, cwd) {
  const values = parse(words)
  return {
    help: values.help === true,
    pids: values.pids === true,
    debug: values.debug === undefined ? null : readNumber('--debug', values.debug, 1, 2 ** 31),
    port: readPort('--port', values.port),
    pagePort: readPort('--page-port', values['page-port']),
    inspect: values.inspect === undefined ? null : readNumber('--inspect', values.inspect, 1, 65_535),
    data: values.data === undefined ? join(ROOT, '.dev') : resolve(cwd, values.data),
  }
}

function parse(words) {
  try {
    return parseArgs({ args: words, options: OPTIONS, allowPositionals: false }).values
  } catch (error) {
    throw new Error(`${error.message.split('. ')[0].replace(/\.$/, '')}. \`npm run dev -- --help\` lists the options.`)
  }
}

const readPort = (name, text) => (text === undefined ? null : readNumber(name, text, 0, 65_535))

function readNumber(name, text, least, most) {
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= least && number <= most) return number
  throw new Error(`${name} needs a whole number from ${least} to ${most}; "${text}" is none.`)
}
