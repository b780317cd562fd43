import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { findCommand, findNode, ROOT } from './carried.mjs'
import { buildStamped } from './stamped.mjs'

const PROGRAMS = 'scripts/bundle.config.mjs'
const TYPES = 'scripts/declarations.config.mjs'
const SOURCES = [
  'src',
  'scripted-agent',
  'test/contracts',
  'scripts/programs.mjs',
  'package-lock.json',
  'tsconfig.json',
]

/**
 * Builds what Node runs into dist/node with rolldown, unless what is there was built from these very sources.
 * Returns 'built' or 'fresh'. Throws when rolldown fails.
 */
export function buildNode({ force = false } = {}) {
  return bundle({ out: 'node', config: PROGRAMS, sources: SOURCES, force, title: 'the programs' })
}

/** Builds what tests start as processes of their own into dist/test, in the same way. */
export function buildTestPrograms() {
  return bundle({
    out: 'test',
    config: PROGRAMS,
    sources: [...SOURCES, 'test/support'],
    force: false,
    title: 'the programs of the tests',
  })
}

/** Builds the types of what other programs import into dist/types: a file for each entry, and shared ones. */
export function buildTypes({ force = false } = {}) {
  const sources = [...SOURCES, 'tsconfig.types.json']
  return bundle({ out: 'types', config: TYPES, sources, force, title: 'the types' })
}

function bundle({ out, config, sources, ...rest }) {
  return buildStamped({
    ...rest,
    sources: [...sources, config],
    out: join(ROOT, 'dist', out),
    build(folder) {
      const args = [findCommand('rolldown', 'rolldown'), '--config', join(ROOT, config)]
      const env = { ...process.env, CARREL_BUNDLE: out, CARREL_BUNDLE_TO: folder }
      const { status, stdout, stderr, error } = spawnSync(findNode(), args, { cwd: ROOT, env, encoding: 'utf8' })
      if (error) throw error
      if (status !== 0) throw new Error(`${rest.title} could not be built:\n${stdout}${stderr}`)
    },
  })
}
