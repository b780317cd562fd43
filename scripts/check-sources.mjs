import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { findCommand, findNode, ROOT } from './carried.mjs'

/** What an earlier check found out lies beside the packages, and goes with them. */
const CACHE = join(ROOT, 'node_modules', '.cache', 'check')
const STYLE_CACHE = join(CACHE, 'style.json')
/** More paths than this do not fit on a command line everywhere; biome then looks at the whole checkout. */
const MOST_PATHS = 200

/**
 * Checks types and style at the same time, and only what changed since the last check that passed.
 * @returns {Promise<import('./checks.mjs').Row[]>} one row a tool, in a fixed order
 */
export async function checkSources() {
  mkdirSync(CACHE, { recursive: true })
  return Promise.all([checkTypes('tsconfig.json'), checkTypes('tsconfig.web.json'), checkStyle()])
}

/**
 * The compiler keeps its findings for each file, errors included, and reports them again. Declarations are emitted
 * because their digest tells it that an edit left the types as they were: without them each first edit of a file
 * checks everything that imports it (measured on `model/errors.ts`: 13.6 processor seconds, with them 1.1).
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
 * Biome has no cache and needs four seconds for the checkout. Its rules look at one file each, so a file that passed
 * once passes again while its content, biome and the rules are the same.
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

/** Path -> digest of content and rules, of every file that git tracks or would offer to add. */
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

/** A file may be deleted and still be tracked. */
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

/** In one step: two checks at the same time must not leave half a file. */
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

/** Runs the command of a package. Output comes in one piece, since several run at once. Throws when it fails. */
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
