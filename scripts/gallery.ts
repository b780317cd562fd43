import { spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findCommand, findNode, ROOT } from './carried.mjs'

/** Builds the gallery into a new folder, which the caller removes. The gallery is not part of the shipped page. */
export function buildGallery(): string {
  const folder = mkdtempSync(join(tmpdir(), 'carrel-gallery-'))
  const config = join(ROOT, 'web', 'vite.config.ts')
  const args = [findCommand('vite', 'vite'), 'build', join(ROOT, 'web', 'gallery'), '--config', config]
  const more = ['--outDir', folder, '--emptyOutDir', '--logLevel', 'warn']
  const { status, stderr } = spawnSync(findNode(), [...args, ...more], { cwd: ROOT, encoding: 'utf8' })
  if (status !== 0) throw new Error(`The gallery could not be built:\n${stderr}`)
  return folder
}
