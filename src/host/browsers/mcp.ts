import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Named `{browser}`, the address of a run's browser stands in a command's words. */
const PLACE = '{browser}'
/** Neither asks home for a newer version, nor tells it what was done. */
const QUIET = ['--no-usage-statistics', '--no-performance-crux']
const NO_UPDATE_CHECKS = { name: 'CHROME_DEVTOOLS_MCP_NO_UPDATE_CHECKS', value: '1' }

/**
 * The MCP server that gives an agent the browser at `url` as tools, as `session/new` wants it. `own`: the words of
 * another one, with `{browser}` in the place of the address; none are none.
 */
export function browserServers(url: string, own: readonly string[] | null): object[] {
  const [command, ...args] = own ?? carried(url)
  if (command === undefined) return []
  const words = args.map((word) => word.replaceAll(PLACE, url))
  return [{ name: 'browser', command, args: words, env: own === null ? [NO_UPDATE_CHECKS] : [] }]
}

/** It finds a browser that was replaced at its address by itself, and tells the agent. */
function carried(url: string): string[] {
  const manifest = createRequire(import.meta.url).resolve('chrome-devtools-mcp/package.json')
  const main = join(dirname(manifest), 'build', 'src', 'bin', 'chrome-devtools-mcp.js')
  return [process.execPath, main, url.startsWith('ws') ? '--wsEndpoint' : '--browserUrl', url, ...QUIET]
}
