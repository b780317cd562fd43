import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findCommand, findNode, ROOT } from './carried.mjs'

const SOURCES = ['web', 'src/model', 'src/api', 'src/client', 'package-lock.json', 'tsconfig.web.json']
const OUT = join(ROOT, 'dist', 'web')
const STAMP = join(OUT, '.stamp')

/**
 * Builds the page into dist/web with vite, unless what is there was built from these very sources.
 * Returns 'built', 'fresh', or 'absent' when there is no page to build. Throws when vite fails.
 */
export function buildPage({ force = false } = {}) {
  if (!existsSync(join(ROOT, 'web', 'index.html'))) return 'absent'
  const digest = digestSources()
  if (!force && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === digest) return 'fresh'
  console.log('Building the page ...')
  // The stamp goes first: a build that is cut short must not look finished.
  rmSync(STAMP, { force: true })
  const args = [
    findCommand('vite', 'vite'),
    'build',
    join(ROOT, 'web'),
    '--outDir',
    OUT,
    '--emptyOutDir',
    '--logLevel',
    'warn',
  ]
  const { status, error } = spawnSync(findNode(), args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] })
  if (error) throw error
  if (status !== 0) throw new Error('The page could not be built; the messages of vite are above.')
  mkdirSync(OUT, { recursive: true })
  writeFileSync(STAMP, digest)
  return 'built'
}

/** Of content rather than times: a checkout that changes nothing costs no build. About 10 ms for a megabyte of sources. */
function digestSources() {
  const hash = createHash('sha256')
  for (const source of SOURCES) {
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
