import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { CarrelError } from '../../model/errors.ts'
import { findProgram } from '../agent/known-agents.ts'

/** Programs of Chromium's kind, by the names that systems give them: whole ones first, since sites meet those. */
const NAMES = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'chrome-headless-shell',
  'chromium-headless-shell',
  'microsoft-edge',
]
/** Where it is when it is not on the PATH. */
const PLACES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/snap/bin/chromium',
]
export const HOW_TO_INSTALL =
  'Install Chromium (Debian, Ubuntu: apt install chromium; Fedora: dnf install chromium; macOS: brew install chromium), or name one: CARREL_BROWSER_COMMAND.'
const VERSION_MS = 5_000

/** The browser of this machine; null when there is none. `command`: a name or path that goes before all others. */
export function findBrowser(command: string | null, path: string): string | null {
  if (command !== null) return findProgram(command, path)
  const named = NAMES.map((name) => findProgram(name, path)).find((found) => found !== null)
  return named ?? PLACES.find((place) => findProgram(place, path) !== null) ?? null
}

/** @throws unavailable with what to do, where there is none */
export function needBrowser(command: string | null, path: string): string {
  const found = findBrowser(command, path)
  if (found !== null) return found
  throw new CarrelError('unavailable', `${noBrowser(command)} ${HOW_TO_INSTALL}`, { next: HOW_TO_INSTALL })
}

export const noBrowser = (command: string | null): string =>
  command === null
    ? 'No Chromium was found on this machine.'
    : `There is no program ${command}, which the setting browserCommand names.`

/** What it says of itself, such as `Chromium 156.0.8078.108`; null when it says nothing in time. */
export async function versionOf(program: string, path: string): Promise<string | null> {
  try {
    const asked = { env: { PATH: path }, timeout: VERSION_MS, killSignal: 'SIGKILL' } as const
    const { stdout } = await promisify(execFile)(program, ['--version'], asked)
    return /^\S[^\n]*\d/.exec(stdout)?.[0]?.trim() ?? null
  } catch {
    return null
  }
}
