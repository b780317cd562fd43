import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findCommand, findNode, ROOT } from './carried.mjs'
import { buildStamped } from './stamped.mjs'

const SOURCES = ['web', 'src/model', 'src/api', 'src/client', 'package-lock.json', 'tsconfig.web.json']

/**
 * Builds the page into dist/web with vite, unless what is there was built from these very sources.
 * Returns 'built', 'fresh', or 'absent' when there is no page to build. Throws when vite fails.
 */
export function buildPage({ force = false } = {}) {
  if (!existsSync(join(ROOT, 'web', 'index.html'))) return 'absent'
  return buildStamped({
    out: join(ROOT, 'dist', 'web'),
    sources: SOURCES,
    force,
    title: 'the page',
    build(folder) {
      const vite = [findCommand('vite', 'vite'), 'build', join(ROOT, 'web')]
      const args = [...vite, '--outDir', folder, '--emptyOutDir', '--logLevel', 'warn']
      const { status, error } = spawnSync(findNode(), args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] })
      if (error) throw error
      if (status !== 0) throw new Error('The page could not be built; the messages of vite are above.')
    },
  })
}
