import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { World } from './terminal.ts'

/** Environment variables by which a desktop program finds its display and a running browser. */
const PASSED = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
  'DBUS_SESSION_BUS_ADDRESS',
].concat(['XDG_RUNTIME_DIR', 'XDG_CURRENT_DESKTOP', 'XDG_DATA_DIRS', 'BROWSER', 'SystemRoot', 'USERPROFILE'])

export function hasDesktop({ env, stderr }: World, platform: string): boolean {
  if (!stderr.isTTY) return false
  return platform === 'darwin' || platform === 'win32' || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY)
}

/**
 * Opens the login link in the person's browser. The link contains the token, and all users of a machine can read the
 * arguments of processes. The browser therefore gets a file that only its owner can read.
 */
export async function openBrowser(world: World, dataFolder: string, loginUrl: string, platform: string): Promise<void> {
  // Imported here: a static import would slow every start of the command.
  const { spawn } = await import('node:child_process')
  const page = join(dataFolder, 'open.html')
  writeFileSync(page, `<!doctype html><meta http-equiv="refresh" content="0; url=${loginUrl}">\n`, { mode: 0o600 })
  const program = platform === 'darwin' ? 'open' : platform === 'win32' ? 'explorer.exe' : 'xdg-open'
  const env = Object.fromEntries(PASSED.flatMap((name) => (world.env[name] ? [[name, world.env[name]]] : [])))
  const child = spawn(program, [pathToFileURL(page).href], { detached: true, stdio: 'ignore', env })
  // Without a browser the person uses the printed link; the command does not fail.
  child.on('error', () => undefined)
  child.unref()
}
