import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import {
  containment,
  digest,
  fresh,
  git,
  PATH,
  plainFolder,
  repository,
  top,
  world,
  write,
} from '../../../test/support/places-setup.ts'
import { createGit, GitFailure } from './git.ts'

vi.setConfig({ testTimeout: 60_000 })
afterEach(() => vi.unstubAllEnvs())

const marks = plainFolder({})
/** A program that tells that it ran, and then does no harm. */
const trap = (name: string) => {
  const path = join(top, fresh('trap'))
  writeFileSync(path, `#!/bin/sh\necho "$0" >> "${join(marks, name)}"\ncat\n`)
  chmodSync(path, 0o755)
  return path
}

/** A repository whose settings name a program wherever git would run one. */
function hostile(): string {
  const source = repository({
    '.gitattributes': '*.txt filter=evil diff=evil merge=evil\n*.late filter=late\n',
    'a.txt': 'a',
    'b.late': 'b',
  })
  const hooks = join(source, 'hooks')
  mkdirSync(hooks)
  for (const name of ['post-checkout', 'reference-transaction', 'pre-commit', 'post-index-change']) {
    writeFileSync(join(hooks, name), `#!/bin/sh\ntouch "${join(marks, name)}"\n`)
    chmodSync(join(hooks, name), 0o755)
  }
  const late = join(source, '.git/late')
  writeFileSync(
    late,
    `[filter "late"]\n\tsmudge = ${trap('late')}\n\trequired = true\n[core]\n\tfsmonitor = ${trap('late-monitor')}\n`,
  )
  const settings: Record<string, string> = {
    'core.hooksPath': hooks,
    'core.fsmonitor': trap('fsmonitor'),
    'core.sshCommand': trap('ssh'),
    'core.pager': trap('pager'),
    'core.editor': trap('editor'),
    'core.askPass': trap('askpass'),
    'core.alternateRefsCommand': trap('alternates'),
    'diff.external': trap('external'),
    'diff.evil.command': trap('diff'),
    'diff.evil.textconv': trap('textconv'),
    'merge.evil.driver': trap('merge'),
    'filter.evil.clean': trap('clean'),
    'filter.evil.smudge': trap('smudge'),
    'filter.evil.process': trap('process'),
    'filter.evil.required': 'true',
    'alias.status': `!${trap('alias')}`,
    'alias.worktree': `!${trap('alias')}`,
    'gpg.program': trap('gpg'),
    'commit.gpgSign': 'true',
    'credential.helper': trap('credential'),
    'gc.auto': '1',
    'submodule.recurse': 'true',
    'branch.autoSetupMerge': 'always',
    // Counts for the branch that Carrel makes, and not before.
    'includeIf.onbranch:carrel/**.path': late,
  }
  for (const [key, value] of Object.entries(settings)) git(source, 'config', key, value)
  return source
}

it('F1: nothing that a hostile repository names is run, and looking writes nothing', async () => {
  const source = hostile()
  const { places, ask } = world()
  const settings = digest(join(source, '.git/config'))
  const record = await places.make(ask({ kind: 'worktree', source }))
  await places.open(record)
  write(record.path, { 'a.txt': 'b', 'new.txt': 'new' })
  const before = digest(join(source, '.git'))
  expect((await places.risks(record)).changed).toEqual(['a.txt', 'new.txt'])
  await places.open(record)
  expect(digest(join(source, '.git'))).toBe(before)
  expect((await places.remove(record)).kept).toEqual([])
  expect(digest(join(source, '.git/config'))).toBe(settings)
  expect(readdirSync(marks)).toEqual([])
})

it('the traps of these tests do catch a git that is not kept apart', () => {
  const source = hostile()
  // Of the same size: only its content, through the filter, tells whether it changed.
  write(source, { 'a.txt': 'b' })
  expect(() => git(source, 'status')).toThrow()
  expect(readdirSync(marks)).toEqual(expect.arrayContaining(['fsmonitor', 'process']))
})

it('nothing of this process reaches git: neither GIT_ variables nor settings of the person', async () => {
  const other = repository({ 'other.txt': 'other' })
  const home = plainFolder({ '.gitconfig': `[core]\n\thooksPath = ${marks}\n[user]\n\tname = Leak\n` })
  for (const [name, value] of Object.entries({
    GIT_DIR: join(other, '.git'),
    GIT_WORK_TREE: other,
    GIT_INDEX_FILE: join(other, '.git/index'),
    GIT_OBJECT_DIRECTORY: join(other, '.git/objects'),
    GIT_CONFIG_GLOBAL: join(home, '.gitconfig'),
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'user.name',
    GIT_CONFIG_VALUE_0: 'Leak',
    GIT_CEILING_DIRECTORIES: '/',
    GIT_TRACE: join(marks, 'trace'),
    HOME: home,
  }))
    vi.stubEnv(name, value)
  const source = repository()
  const { places, ask } = world()
  const record = await places.make(ask({ kind: 'worktree', source: join(source, 'sub') }))
  expect(record.git?.repository).toBe(join(source, '.git'))
  const own = createGit({ path: PATH, env: {}, containment, ledger: join(top, 'ledger'), now: Date.now })
  expect(await own.ask(source, ['config', 'user.name'])).toBeNull()
  expect(existsSync(join(marks, 'trace'))).toBe(false)
})

it('a path is a path, and what git says no to is an error with its words', async () => {
  const own = createGit({ path: PATH, env: {}, containment, ledger: join(top, 'ledger'), now: Date.now })
  const source = repository({ ':(top)x': 'odd', 'a.txt': 'a' })
  expect(await own.look(source, ['ls-files', '-z', '--', ':(top)x'])).toBe(':(top)x\0')
  const failure = await own.look(source, ['rev-parse', '--verify', 'none']).catch((thrown: unknown) => thrown)
  expect(failure).toBeInstanceOf(GitFailure)
  await expect(own.look(join(top, 'nowhere'), ['status'])).rejects.toMatchObject({ code: 'unavailable' })
})
