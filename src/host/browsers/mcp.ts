import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Placeholder for the browser's address in the setting `browserMcp`. */
const PLACEHOLDER = '{browser}'
/** Turns off telemetry; the variable turns off checks for updates. */
const QUIET = ['--no-usage-statistics', '--no-performance-crux']
const NO_UPDATE_CHECKS = { name: 'CHROME_DEVTOOLS_MCP_NO_UPDATE_CHECKS', value: '1' }

/**
 * Returns the MCP servers, in the form of ACP's `session/new`, that give an agent the browser at `url` as tools.
 * @param custom command of another server, with `{browser}` for the address; empty for none, null for the bundled one
 */
export function browserServers(url: string, custom: readonly string[] | null): object[] {
  const [command, ...args] = custom ?? bundled(url)
  if (command === undefined) return []
  const filled = args.map((arg) => arg.replaceAll(PLACEHOLDER, url))
  return [{ name: 'browser', command, args: filled, env: custom === null ? [NO_UPDATE_CHECKS] : [] }]
}

/** Reconnects by itself to a browser that is replaced at the same address, and tells the agent. */
function bundled(url: string): string[] {
  const manifest = createRequire(import.meta.url).resolve('chrome-devtools-mcp/package.json')
  const main = join(dirname(manifest), 'build', 'src', 'bin', 'chrome-devtools-mcp.js')
  return [process.execPath, main, url.startsWith('ws') ? '--wsEndpoint' : '--browserUrl', url, ...QUIET]
}
