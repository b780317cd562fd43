import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium as playwright } from 'playwright-core'
import type { Skipped } from './postgres.ts'

/** A browser that can be started: the `launch` arguments for playwright. */
interface Chromium {
  readonly executablePath: string
  readonly args: string[]
  readonly env: Record<string, string>
}

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
/**
 * Headless shells: the same engine without the browser around it, for half the processor time. They show no
 * notifications.
 */
const SHELLS = ['/usr/bin/chromium-headless-shell']
const INSTALLED = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

/** The browsers of this worker; the key tells whether the browser is a whole one. */
const shared = new Map<boolean, Promise<Browser | Skipped>>()

/**
 * Returns the browser that all test files of a worker share; a browser context of its own separates each test from
 * the others. Replaces a browser that died. The browser ends with the worker's process.
 */
export async function sharedChromium(whole = false): Promise<Browser | Skipped> {
  const found = await shared.get(whole)
  if (found && ('skipped' in found || found.isConnected())) return found
  const launched = launchChromium(whole)
  shared.set(whole, launched)
  return await launched
}

/**
 * Starts a headless Chromium: the binary that CARREL_CHROMIUM names, else the system's, else one from a registry
 * package (Linux on x64). The caller closes it. `skipped` says what to install. `whole` prefers a browser with every
 * feature that people's browsers have.
 */
export async function launchChromium(whole = false): Promise<Browser | Skipped> {
  const found = findChromium(whole)
  if ('skipped' in found) return found
  try {
    return await playwright.launch({ ...found, headless: true })
  } catch (error) {
    const missing = listMissing(found)
    const why = missing.length > 0 ? `the system lacks ${missing.join(', ')}` : (error as Error).message.split('\n')[0]
    return {
      skipped: `Chromium at ${found.executablePath} does not start (${why}); install Chromium, or set CARREL_CHROMIUM to the path of one`,
    }
  }
}

function findChromium(whole: boolean): Chromium | Skipped {
  const env = definedEnvironment()
  // Chromium's own sandbox refuses to run as root.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const given = process.env.CARREL_CHROMIUM
  if (given) return { executablePath: given, args, env }
  const system = [...(whole ? [] : SHELLS), ...INSTALLED].find((path) => existsSync(path))
  if (system) return { executablePath: system, args, env }
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return {
      skipped: 'there is no Chromium here; install Chromium or Chrome, or set CARREL_CHROMIUM to the path of one',
    }
  }
  return findPacked(env)
}

/**
 * Finds the packaged build. The build has no sandbox helper; it brings fonts and libraries that a bare server lacks.
 */
function findPacked(env: Record<string, string>): Chromium | Skipped {
  try {
    const folder = unpack()
    const chromium = { executablePath: join(folder, 'chromium'), args: ['--no-sandbox'], env }
    if (!existsSync('/etc/fonts/fonts.conf')) env.FONTCONFIG_PATH = join(folder, 'fonts')
    if (listMissing(chromium).length > 0) env.LD_LIBRARY_PATH = join(folder, 'al2023', 'lib')
    return chromium
  } catch (error) {
    return {
      skipped: `the Chromium of the registry cannot be unpacked (${(error as Error).message}); install Chromium, or set CARREL_CHROMIUM to the path of one`,
    }
  }
}

/**
 * Unpacks the browser below node_modules/.cache, once for each version. A child does so, because the package unpacks
 * to the folder for temporary files and takes an incomplete folder there for a complete one.
 */
function unpack(): string {
  const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium')
  const { version } = createRequire(import.meta.url)(join(dirname(dirname(entry)), 'package.json')) as {
    version: string
  }
  const cache = join(ROOT, 'node_modules', '.cache', 'carrel')
  const folder = join(cache, `chromium-${version}`)
  if (existsSync(folder)) return folder
  mkdirSync(cache, { recursive: true })
  const partial = mkdtempSync(join(cache, 'chromium-'))
  try {
    const script = `const { default: chromium } = await import(process.argv[1]); await chromium.executablePath()`
    execFileSync(process.execPath, ['--input-type=module', '--eval', script, entry], {
      // The name of this cloud makes the package unpack the shared libraries too.
      env: { TMPDIR: partial, AWS_LAMBDA_JS_RUNTIME: 'nodejs22.x' },
      stdio: 'pipe',
    })
    renameSync(partial, folder)
  } catch (error) {
    rmSync(partial, { recursive: true, force: true })
    // Another process was faster: an existing folder is complete.
    if (!existsSync(folder)) throw error
  }
  return folder
}

/** Lists the shared libraries that `chromium` lacks. */
function listMissing({ executablePath, env }: Chromium): string[] {
  if (process.platform !== 'linux') return []
  try {
    const lines = execFileSync('ldd', [executablePath], { env, encoding: 'utf8', stdio: 'pipe' }).split('\n')
    return lines.filter((line) => line.includes('not found')).map((line) => line.trim().split(' ')[0] ?? '')
  } catch {
    return []
  }
}

function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}
