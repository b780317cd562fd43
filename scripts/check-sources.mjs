import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { findCommand, findNode, ROOT } from './carried.mjs'

/** Findings of earlier checks, beside the packages and gone with them. */
const CACHE = join(ROOT, 'node_modules', '.cache', 'check')
const STYLE_CACHE = join(CACHE, 'style.json')
/** More paths than this do not fit on a command line everywhere; biome then looks at the whole checkout. */
const MOST_PATHS = 200

/**
 * Checks types, style and unused code at the same time, and only what changed since the last check that passed.
 * @returns {Promise<import('./checks.mjs').Row[]>} one row a tool, in a fixed order
 */
export async function checkSources() {
  mkdirSync(CACHE, { recursive: true })
  return Promise.all([checkTypes('tsconfig.json'), checkTypes('tsconfig.web.json'), checkStyle(), checkUnused()])
}

/**
 * Runs the compiler, which keeps its findings for each file, errors included, and reports them again. Declarations are
 * emitted because their digest shows that an edit left the types alone. Without them the first edit of a file checks
 * all its importers again: 13.6 processor seconds for `model/errors.ts`, 2.0 with them.
 */
function checkTypes(config) {
  const folder = join(CACHE, config)
  const known = ['--incremental', '--tsBuildInfoFile', join(folder, 'tsbuildinfo')]
  const emitted = ['--noEmit', 'false', '--emitDeclarationOnly', '--outDir', join(folder, 'declarations')]
  const color = process.stdout.isTTY ? ['--pretty'] : []
  return check(`types (${config})`, () =>
    runTool('typescript', 'tsc', ['--project', config, ...known, ...emitted, ...color]),
  )
}

/**
 * Runs biome on the files that have not passed yet. Biome has no cache and needs four seconds for the checkout. Its
 * rules look at one file each: a file that passed passes again while its content, biome and the rules are the same.
 */
function checkStyle() {
  return check('style (biome)', async () => {
    const files = await digestFiles()
    const passed = readPassed()
    const changed = [...files].filter(([path, digest]) => passed[path] !== digest).map(([path]) => path)
    if (changed.length === 0) return
    await runTool('@biomejs/biome', 'biome', [
      'ci',
      '--log-level=warn',
      '--no-errors-on-unmatched',
      process.stdout.isTTY ? '--colors=force' : '--colors=off',
      ...(changed.length > MOST_PATHS ? [] : changed),
    ])
    writePassed(Object.fromEntries(files))
  })
}

/** Finds files, exports and packages that nothing uses, and packages that package.json does not list. */
function checkUnused() {
  return check('unused (knip)', () =>
    runTool('knip', 'knip', ['--no-progress', '--cache', '--cache-location', join(CACHE, 'knip')]),
  )
}

/** Returns path -> digest of content and rules, for every file that git tracks or would offer to add. */
async function digestFiles() {
  const rules = createHash('sha256')
    .update(readFileSync(join(ROOT, 'biome.json')))
    .update(readFileSync(join(ROOT, 'node_modules', '@biomejs', 'biome', 'package.json')))
    .digest('hex')
  const { status, output } = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'])
  if (status !== 0) throw new Error(`git could not list the files of ${ROOT}:\n${output}`)
  const digests = new Map()
  for (const path of output.split('\0')) {
    const content = /\.(?:[cm]?[jt]sx?|jsonc?|css|html)$/.test(path) ? readIfPresent(join(ROOT, path)) : null
    if (content !== null) digests.set(path, createHash('sha256').update(rules).update(content).digest('hex'))
  }
  return digests
}

/** Returns null for a file that is deleted and still tracked. */
function readIfPresent(path) {
  try {
    return readFileSync(path)
  } catch (error) {
    if (error.code === 'ENOENT') return null
    throw error
  }
}

function readPassed() {
  const text = readIfPresent(STYLE_CACHE)
  try {
    return text === null ? {} : JSON.parse(text)
  } catch {
    // A cache that cannot be read costs one whole check.
    return {}
  }
}

/** Replaces the file atomically: two checks at the same time must not leave half of it. */
function writePassed(passed) {
  const fresh = `${STYLE_CACHE}.${process.pid}`
  writeFileSync(fresh, JSON.stringify(passed))
  renameSync(fresh, STYLE_CACHE)
}

/** @returns {Promise<import('./checks.mjs').Row>} */
async function check(name, act) {
  const started = Date.now()
  const row = { name, passed: 1, failed: 0, skipped: [] }
  try {
    await act()
    return { ...row, seconds: (Date.now() - started) / 1000 }
  } catch (error) {
    console.error(`${name}: ${error.message}`)
    return { ...row, passed: 0, failed: 1, seconds: (Date.now() - started) / 1000 }
  }
}

/** Runs the command of a package and prints its output in one piece, since several run at once. Throws when it fails. */
async function runTool(name, command, args) {
  const { status, output } = await run(findNode(), [findCommand(name, command), ...args])
  if (status !== 0) throw new Error(`${command} ended with ${status}.\n${output.trimEnd()}`)
  process.stdout.write(output)
}

function run(command, args) {
  const path = `${join(ROOT, 'node_modules', '.bin')}${delimiter}${process.env.PATH}`
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: path },
    })
    const chunks = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => chunks.push(chunk))
    child.on('error', reject)
    child.on('close', (code, signal) =>
      resolve({ status: signal ?? code, output: Buffer.concat(chunks).toString('utf8') }),
    )
  })
}
