import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { build } from 'vite'
import { onFileFinished } from './file-end.ts'

/** A laboratory that kills processes in the middle of their work on a place. */
export interface CrashLab extends Disposable {
  readonly top: string
  /** A folder with the place as it is before the act, made once. */
  readonly first: string
  /** Makes another copy of a folder. */
  copied(from: string): string
  /**
   * Kills a process before each step of an act, in a fresh copy of the prepared place, and once after the last step.
   * Returns the steps.
   */
  killAtEach(act: string, verify: (killed: Killed) => Promise<unknown>, from?: string): Promise<string[]>
  /** Kills a process at the first step with this name. Returns the copy, which stays. */
  killAt(act: string, step: string, from?: string): Promise<string>
}

export interface Killed {
  /** The copy of the prepared place. */
  readonly top: string
  /** The step that was not taken; `end` if all steps were. */
  readonly step: string
  /** Number of the step, from 1. */
  readonly at: number
}

/** Processes at a time: one for each of the two cores that the tests may count on. */
const LANES = 2

interface Child {
  readonly file: string
  readonly env: NodeJS.ProcessEnv
}
let child: Promise<Child> | null = null
const dropChild = async () => {
  if (child) rmSync(dirname((await child).file), { recursive: true, force: true })
  child = null
}

/** Bundles the child: two hundred processes that each read a hundred sources would take minutes. */
async function builtChild(): Promise<Child> {
  const outDir = mkdtempSync(join(tmpdir(), 'carrel-crash-child-'))
  const output = { entryFileNames: 'child.mjs', codeSplitting: false }
  await build({
    configFile: false,
    logLevel: 'error',
    // Native parts cannot be bundled.
    ssr: { noExternal: true, external: ['@napi-rs/xattr', '@parcel/watcher'] },
    build: { ssr: join(import.meta.dirname, 'crash-child.ts'), outDir, minify: false, rolldownOptions: { output } },
  })
  const built = { file: join(outDir, 'child.mjs'), env: { NODE_COMPILE_CACHE: join(outDir, 'compiled') } }
  // A process that ends by itself leaves Node's compile cache behind; a killed process leaves none.
  execFileSync(process.execPath, [built.file], { env: built.env })
  return built
}

export function openCrashLab(): CrashLab {
  const top = mkdtempSync(join(tmpdir(), 'carrel-crash-'))
  const first = join(top, 'first')
  mkdirSync(first)
  let copies = 0
  const copied = (from: string) => {
    copies += 1
    if (from === first) forgetRoots(join(first, 'history'))
    const to = join(top, `copy-${copies}`)
    execFileSync('cp', ['-a', from, to])
    return to
  }
  const killOne = async (act: string, stop: string, from: string) => {
    const to = copied(from)
    return { top: to, step: await runUntil([act, to, stop]) }
  }
  return {
    top,
    first,
    copied,
    async killAtEach(act, verify, from = first) {
      const steps: string[] = []
      const lane = async () => {
        while (!steps.includes('end')) {
          const at = steps.push('')
          const killed = await killOne(act, String(at), from)
          steps[at - 1] = killed.step
          await verify({ ...killed, at }).catch((error: unknown) => {
            throw new Error(`killed before step ${at} of ${act}: ${killed.step}`, { cause: error })
          })
          rmSync(killed.top, { recursive: true, force: true })
        }
      }
      await Promise.all(Array.from({ length: LANES }, lane))
      return steps.slice(0, steps.indexOf('end'))
    },
    async killAt(act, step, from = first) {
      const killed = await killOne(act, step, from)
      if (!killed.step.startsWith(step)) throw new Error(`${act} has no step ${step}`)
      return killed.top
    },
    [Symbol.dispose]: () => rmSync(top, { recursive: true, force: true }),
  }
}

/** A copy stands for the place itself: its folder must not count as another one. */
function forgetRoots(folder: string): void {
  const path = join(folder, 'files.db')
  if (!existsSync(path)) return
  const db = new DatabaseSync(path)
  db.exec(`update places set root = ''`)
  db.close()
}

async function runUntil(args: readonly string[]): Promise<string> {
  if (!child) onFileFinished(dropChild)
  child ??= builtChild()
  const { file, env } = await child
  const running = spawn(process.execPath, [file, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  for await (const piece of running.stdout) {
    output += piece
    if (output.includes('\n')) running.kill('SIGKILL')
  }
  if (output === '') throw new Error(`${args[0]} ended before it was killed`)
  return output.trim()
}

/** Lists the files in a history's folder for which it has no row; there should be none. */
export function strayIn(folder: string): string[] {
  const db = new DatabaseSync(join(folder, 'files.db'))
  const rows = db.prepare('select lower(hex(digest)) as name from blobs where gone = 0 and data is null').all()
  db.close()
  const known = new Set(['files.db', 'files.db-wal', 'files.db-shm', 'tick', ...rows.map(({ name }) => String(name))])
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => (/^[0-9a-f]{2}$/.test(basename(parentPath)) ? basename(parentPath) : '') + name)
    .filter((name) => !known.has(name))
}
