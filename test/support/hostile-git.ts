import { appendFileSync, chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fresh, plainFolder, repository, top } from './places-setup.ts'

/** Folder with a file for each trap that ran. */
export const marks = plainFolder({})

/** Creates a program that leaves a mark when it runs and does no harm. */
function trap(name: string, folder = top): string {
  const path = join(folder, folder === top ? fresh('trap') : name)
  writeFileSync(path, `#!/bin/sh\necho "$0" >> "${join(marks, name)}"\ncat\n`)
  chmodSync(path, 0o755)
  return path
}

/** Files whose attributes send each through a program of the settings below. */
export const TRAPPED = {
  '.gitattributes': '*.txt filter=evil diff=evil merge=evil\n*.late filter=late\n',
  'a.txt': 'a',
  'b.late': 'b',
}

/** Creates a repository whose settings name a program wherever git would run one. */
export function hostile(): string {
  const source = repository(TRAPPED)
  harden(join(source, '.git'))
  return source
}

/** Sets a trap in every setting of this git folder that may name a program. */
export function harden(gitFolder: string): void {
  const hooks = plainFolder({})
  for (const name of ['post-checkout', 'reference-transaction', 'pre-commit', 'post-index-change']) trap(name, hooks)
  const [late, included] = [join(plainFolder({}), 'late'), join(plainFolder({}), 'included')]
  const lateFilter = `[filter "late"]\n\tsmudge = ${trap('late')}\n\trequired = true\n`
  writeFileSync(late, `${lateFilter}[core]\n\tfsmonitor = ${trap('late-monitor')}\n`)
  writeFileSync(included, `[filter "evil"]\n\tclean = ${trap('included')}\n`)
  appendFileSync(
    join(gitFolder, 'config'),
    `
[core]
	hooksPath = ${hooks}
	fsmonitor = ${trap('fsmonitor')}
	sshCommand = ${trap('ssh')}
	pager = ${trap('pager')}
	editor = ${trap('editor')}
	askPass = ${trap('askpass')}
	alternateRefsCommand = ${trap('alternates')}
[diff]
	external = ${trap('external')}
[diff "evil"]
	command = ${trap('diff')}
	textconv = ${trap('textconv')}
[merge "evil"]
	driver = ${trap('merge')}
[filter "evil"]
	clean = ${trap('clean')}
	smudge = ${trap('smudge')}
	process = ${trap('process')}
	required = true
[alias]
	status = !${trap('alias')}
	worktree = !${trap('alias')}
[gpg]
	program = ${trap('gpg')}
[commit]
	gpgSign = true
[credential]
	helper = ${trap('credential')}
[gc]
	auto = 1
[submodule]
	recurse = true
[branch]
	autoSetupMerge = always
[include]
	path = ${included}
# Counts for the branch that Carrel makes, and not before.
[includeIf "onbranch:carrel/**"]
	path = ${late}
`,
  )
}

/** Builds an environment that would redirect any git and make it run a program. */
export function hostileEnvironment(): Record<string, string> {
  const other = repository({ 'other.txt': 'other' })
  const home = plainFolder({ '.gitconfig': `[core]\n\thooksPath = ${marks}\n[user]\n\tname = Leak\n` })
  return {
    GIT_DIR: join(other, '.git'),
    GIT_WORK_TREE: other,
    GIT_INDEX_FILE: join(other, '.git/index'),
    GIT_OBJECT_DIRECTORY: join(other, '.git/objects'),
    GIT_CONFIG_GLOBAL: join(home, '.gitconfig'),
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_0: 'user.name',
    GIT_CONFIG_VALUE_0: 'Leak',
    GIT_CONFIG_KEY_1: 'core.fsmonitor',
    GIT_CONFIG_VALUE_1: trap('environment'),
    GIT_EXTERNAL_DIFF: trap('GIT_EXTERNAL_DIFF'),
    GIT_SSH_COMMAND: trap('GIT_SSH_COMMAND'),
    GIT_EDITOR: trap('GIT_EDITOR'),
    GIT_PAGER: trap('GIT_PAGER'),
    GIT_CEILING_DIRECTORIES: '/',
    GIT_TRACE: join(marks, 'trace'),
    HOME: home,
  }
}
