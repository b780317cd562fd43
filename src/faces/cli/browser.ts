import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { World } from './terminal.ts'

/** What a program on the desktop needs to find its display and its running browser. */
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

/** Whether there is a desktop to open a browser on. */
export function hasDesktop({ env, stderr }: World, platform: string): boolean {
  if (!stderr.isTTY) return false
  return platform === 'darwin' || platform === 'win32' || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY)
}

/**
 * Opens the login address in the person's browser. The address has the token in it, and every user of a machine may
 * read what programs are called with: so the browser is given a file that only the owner can read.
 */
export async function openBrowser(world: World, dataFolder: string, loginUrl: string, platform: string): Promise<void> {
  // Loaded here, since each start of a command would wait for it.
  const { spawn } = await import('node:child_process')
  const page = join(dataFolder, 'open.html')
  writeFileSync(page, `<!doctype html><meta http-equiv="refresh" content="0; url=${loginUrl}">\n`, { mode: 0o600 })
  const program = platform === 'darwin' ? 'open' : platform === 'win32' ? 'explorer.exe' : 'xdg-open'
  const env = Object.fromEntries(PASSED.flatMap((name) => (world.env[name] ? [[name, world.env[name]]] : [])))
  const child = spawn(program, [pathToFileURL(page).href], { detached: true, stdio: 'ignore', env })
  // Without a browser the printed address is the way; that is no reason to fail.
  child.on('error', () => undefined)
  child.unref()
}
