import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { CarrelError } from '../../model/errors.ts'
import { findProgram } from '../agent/known-agents.ts'

/** Names of Chromium-based programs on various systems. Full browsers come first, since sites are tested with them. */
const NAMES = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'chrome-headless-shell',
  'chromium-headless-shell',
  'microsoft-edge',
]
/** Locations outside the PATH. */
const LOCATIONS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/snap/bin/chromium',
]
export const HOW_TO_INSTALL =
  'Install Chromium (Debian, Ubuntu: apt install chromium; Fedora: dnf install chromium; macOS: brew install chromium), or set CARREL_BROWSER_COMMAND.'
const VERSION_MS = 5_000

/** Returns the path of this machine's browser, or null. `command`, a name or path, replaces the search. */
export function findBrowser(command: string | null, path: string): string | null {
  if (command !== null) return findProgram(command, path)
  const named = NAMES.map((name) => findProgram(name, path)).find((found) => found !== null)
  return named ?? LOCATIONS.find((location) => findProgram(location, path) !== null) ?? null
}

/** Returns the path of this machine's browser. @throws unavailable, with how to install one */
export function needBrowser(command: string | null, path: string): string {
  const found = findBrowser(command, path)
  if (found !== null) return found
  throw new CarrelError('unavailable', `${noBrowser(command)} ${HOW_TO_INSTALL}`, { next: HOW_TO_INSTALL })
}

export const noBrowser = (command: string | null): string =>
  command === null
    ? 'No Chromium was found on this machine.'
    : `There is no program ${command}, which the setting browserCommand names.`

/** Returns what `--version` prints, such as `Chromium 156.0.8078.108`; null without an answer in time. */
export async function versionOf(program: string, path: string): Promise<string | null> {
  try {
    const options = { env: { PATH: path }, timeout: VERSION_MS, killSignal: 'SIGKILL' } as const
    const { stdout } = await promisify(execFile)(program, ['--version'], options)
    return /^\S[^\n]*\d/.exec(stdout)?.[0]?.trim() ?? null
  } catch {
    return null
  }
}
