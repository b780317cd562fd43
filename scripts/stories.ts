import { spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findCommand, findNode, ROOT } from './carried.mjs'

/** Builds the stories into a new folder, which is the caller's to remove. They are no part of the page people get. */
export function buildStories(): string {
  const folder = mkdtempSync(join(tmpdir(), 'carrel-stories-'))
  const config = join(ROOT, 'web', 'vite.config.ts')
  const args = [findCommand('vite', 'vite'), 'build', join(ROOT, 'web', 'stories'), '--config', config]
  const more = ['--outDir', folder, '--emptyOutDir', '--logLevel', 'warn']
  const { status, stderr } = spawnSync(findNode(), [...args, ...more], { cwd: ROOT, encoding: 'utf8' })
  if (status !== 0) throw new Error(`The stories could not be built:\n${stderr}`)
  return folder
}
