import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { hostile, hostileEnvironment, marks } from '../../../test/support/hostile-git.ts'
import { containment, digest, git, PATH, repository, top, world, write } from '../../../test/support/places-setup.ts'
import { createGit, GitFailure } from './git.ts'

afterEach(() => vi.unstubAllEnvs())

it('F1: no program that a hostile repository names is run, and reading writes nothing', async () => {
  const source = hostile()
  const { places, ask, parent } = world()
  const settings = digest(join(source, '.git/config'))
  const record = await places.make(ask({ kind: 'worktree', source }))
  await places.open(record)
  write(record.path, { 'a.txt': 'b', 'new.txt': 'new' })
  const before = digest(join(source, '.git'))
  expect((await places.removalRisks(record)).changed).toEqual(['a.txt', 'new.txt'])
  await places.open(record)
  expect(digest(join(source, '.git'))).toBe(before)
  const patch =
    'diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n'
  const signal = new AbortController().signal
  const { commit } = await places.exportBranch({ source, patch, base: null, branch: 'out', parent, signal })
  expect(git(source, 'cat-file', 'blob', `${commit}:a.txt`)).toBe('b')
  expect((await places.remove(record)).kept).toEqual([])
  expect(digest(join(source, '.git/config'))).toBe(settings)
  expect(readdirSync(marks)).toEqual([])
})

it('the traps of these tests catch a git that is not isolated', () => {
  const source = hostile()
  // The size is the same: only the content, through the filter, shows a change.
  write(source, { 'a.txt': 'b' })
  expect(() => git(source, 'status')).toThrow()
  expect(readdirSync(marks)).toEqual(expect.arrayContaining(['fsmonitor', 'process']))
})

it('nothing of this process reaches git: neither GIT_ variables nor settings of the person', async () => {
  for (const [name, value] of Object.entries(hostileEnvironment())) vi.stubEnv(name, value)
  const source = repository()
  const { places, ask } = world()
  const record = await places.make(ask({ kind: 'worktree', source: join(source, 'sub') }))
  expect(record.git?.repository).toBe(join(source, '.git'))
  const own = createGit({ path: PATH, env: {}, containment, ledger: join(top, 'ledger'), now: Date.now })
  expect(await own.ask(source, ['config', 'user.name'])).toBeNull()
  expect(readdirSync(marks)).not.toContain('trace')
})

it('a path is never a pattern, and a refusal of git is an error with git’s message', async () => {
  const own = createGit({ path: PATH, env: {}, containment, ledger: join(top, 'ledger'), now: Date.now })
  const source = repository({ ':(top)x': 'odd', 'a.txt': 'a' })
  expect(await own.read(source, ['ls-files', '-z', '--', ':(top)x'])).toBe(':(top)x\0')
  const failure = await own.read(source, ['rev-parse', '--verify', 'none']).catch((thrown: unknown) => thrown)
  expect(failure).toBeInstanceOf(GitFailure)
  await expect(own.read(join(top, 'nowhere'), ['status'])).rejects.toMatchObject({ code: 'unavailable' })
})
