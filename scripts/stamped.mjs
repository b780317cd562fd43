import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ROOT } from './carried.mjs'

// Runs on Node 20 and without node_modules, as everything that `npm start` loads before the installation.

const STAMP = '.stamp'
/** A folder that a build writes is named so, and after the process that runs it. */
const UNFINISHED = /^\.unfinished-\w+-(\d+)$/

/**
 * Builds the folder `out`, unless what lies there was built from these very sources. The build writes a folder beside
 * it, which takes the place of `out` when it is whole: two builds at once and one that is killed do no harm.
 *
 * @param {{ out: string, sources: string[], force?: boolean, title: string, build: (folder: string) => void }} what
 *   `sources`: files and folders below the root, whose content decides; tests in them do not count
 * @returns {'built' | 'fresh'}
 */
export function buildStamped({ out, sources, force = false, title, build }) {
  const digest = digestSources(sources)
  if (!force && stampOf(out) === digest) return 'fresh'
  console.error(`Building ${title} ...`)
  sweep(dirname(out))
  const folder = join(dirname(out), `.unfinished-${basename(out)}-${process.pid}`)
  mkdirSync(folder, { recursive: true })
  try {
    build(folder)
    writeFileSync(join(folder, STAMP), digest)
    replace(out, folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return 'built'
}

function stampOf(out) {
  const stamp = join(out, STAMP)
  return existsSync(stamp) ? readFileSync(stamp, 'utf8') : null
}

function replace(out, folder) {
  const old = `${folder}-old`
  try {
    if (existsSync(out)) renameSync(out, old)
    renameSync(folder, out)
  } catch (error) {
    // Another build of the same sources was faster; what it made is as good.
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code) || !existsSync(join(out, STAMP))) throw error
  } finally {
    rmSync(old, { recursive: true, force: true })
  }
}

/** Removes what builds left that were killed. */
function sweep(folder) {
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const [, pid] = UNFINISHED.exec(name.replace(/-old$/, '')) ?? []
    if (pid && !isAlive(Number(pid))) rmSync(join(folder, name), { recursive: true, force: true })
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code !== 'ESRCH'
  }
}

/** Of content rather than times: a checkout that changes nothing costs no build. About 10 ms for a megabyte of sources. */
function digestSources(sources) {
  const hash = createHash('sha256')
  for (const source of sources) {
    const path = join(ROOT, source)
    if (!existsSync(path)) continue
    for (const file of listFiles(path)) {
      hash
        .update(`${file.slice(ROOT.length)}\0`)
        .update(readFileSync(file))
        .update('\0')
    }
  }
  return hash.digest('hex')
}

function listFiles(path) {
  let entries
  try {
    entries = readdirSync(path, { withFileTypes: true })
  } catch (error) {
    if (error.code === 'ENOTDIR') return [path]
    throw error
  }
  return entries
    .filter(({ name }) => name !== 'node_modules' && !/\.test\.tsx?$/.test(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? listFiles(join(path, entry.name)) : [join(path, entry.name)]))
}
