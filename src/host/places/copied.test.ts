import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { containment, fresh, git, PATH, repository, top, world } from '../../../test/support/places-setup.ts'
import { openPlaces } from './places.ts'

const open = (parent: string, tidies: boolean) => {
  const [dataFolder, env] = [dirname(parent), { PATH }]
  const ledger = join(dataFolder, 'processes')
  return openPlaces({ dataFolder, path: PATH, env, containment, ledger, now: Date.now, tidies: () => tidies })
}

/** Makes a worktree that its data folder takes for unfinished, beside a base without a view. */
async function unfinished() {
  const w = world()
  const source = repository()
  const record = await w.places.make(w.ask({ kind: 'worktree', source }))
  writeFileSync(join(dirname(record.git?.top ?? ''), 'place.json'), JSON.stringify({ made: false, record }))
  mkdirSync(join(w.parent, 'bases', 'unused'), { recursive: true })
  return { parent: w.parent, source, record }
}

it('S7: a copied data folder removes no working copy of the first one, and no base below its own', async () => {
  const { parent, source, record } = await unfinished()
  const copy = join(top, fresh('copy'), 'places')
  mkdirSync(dirname(copy))
  execFileSync('cp', ['-a', parent, copy])
  await open(copy, true).drivers()
  expect(existsSync(record.path)).toBe(true)
  expect(git(source, 'worktree', 'list').split('\n')).toHaveLength(2)
  expect(existsSync(join(copy, 'bases', 'unused'))).toBe(true)
})

it('S7: a paused data folder clears nothing; once it works, it does', async () => {
  const { parent, source, record } = await unfinished()
  await open(parent, false).drivers()
  expect(existsSync(record.path)).toBe(true)
  await open(parent, true).drivers()
  expect(existsSync(record.path)).toBe(false)
  expect(git(source, 'worktree', 'list').split('\n')).toHaveLength(1)
  expect(existsSync(join(parent, 'bases', 'unused'))).toBe(false)
})
