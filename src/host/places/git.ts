import { execFile } from 'node:child_process'
import { CarrelError } from '../../model/errors.ts'
import { isAbsent } from '../../primitives/absent-as-null.ts'
import { createSerialByKey } from '../../primitives/serial.ts'
import { type CommandHost, runCommand } from './command.ts'

/**
 * Runs git isolated from everything that could change its effect or make it run a program: settings of the person,
 * environment, hooks, filters, helpers, network. Settings of the repository that name a program are overruled, so a
 * stranger's repository can be read and checked out.
 */
export interface Git {
  /** Runs a command that only reads. @throws GitFailure, or CarrelError when git is missing or takes too long */
  read(cwd: string, args: readonly string[], how?: ReadOptions): Promise<string>
  /** Runs a command that only reads; exit code 1, git's way to say no, becomes null. */
  ask(cwd: string, args: readonly string[]): Promise<string | null>
  /** Runs a command that writes. Call it in the repository's queue, unless it concerns one work tree alone. */
  write(cwd: string, args: readonly string[], signal: AbortSignal, filters?: Filters): Promise<void>
  /** Returns the filters that this folder's settings name. Their programs are never run. */
  filters(cwd: string): Promise<Filters>
  /** Runs one task at a time for a repository, because git's own locks fail instead of waiting. */
  queue<T>(repository: string, work: () => Promise<T>): Promise<T>
}

export type Filters = readonly string[]

interface ReadOptions {
  readonly filters?: Filters
  /** Enables pathspec magic; never for a path from outside. */
  readonly magic?: boolean
  readonly encoding?: 'utf8' | 'latin1'
}

export class GitFailure extends Error {
  readonly code: number | null
  readonly stderr: string

  constructor(args: readonly string[], code: number | null, stderr: string) {
    super(`git ${args[0]} failed (${code}): ${stderr.trim()}`)
    this.name = 'GitFailure'
    this.code = code
    this.stderr = stderr.trim()
  }
}

const READ_MS = 60_000
const WRITE_MS = 30 * 60_000
const MAX_BYTES = 256 << 20

/** Settings that overrule those of the repository. */
const SETTINGS: readonly (readonly [string, string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.pager', 'cat'],
  ['core.editor', ':'],
  ['core.sshCommand', 'false'],
  ['core.askPass', ''],
  ['credential.helper', ''],
  ['diff.external', ''],
  ['protocol.allow', 'never'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['commit.gpgSign', 'false'],
  ['tag.gpgSign', 'false'],
  ['submodule.recurse', 'false'],
  // Both would write settings that all work trees share.
  ['branch.autoSetupMerge', 'false'],
  ['branch.autoSetupRebase', 'never'],
  ['worktree.useRelativePaths', 'false'],
  // A repository of another owner is safe: no program that it names is run.
  ['safe.directory', '*'],
]

export function createGit(machine: CommandHost): Git {
  const queues = createSerialByKey<string>()
  const { path } = machine
  const read: Git['read'] = (cwd, args, how = {}) => execute(cwd, args, environment(path, how), how.encoding ?? 'utf8')
  return {
    read,
    async ask(cwd, args) {
      try {
        return await read(cwd, args)
      } catch (thrown) {
        if (thrown instanceof GitFailure && thrown.code === 1) return null
        throw thrown
      }
    },
    async write(cwd, args, signal, filters = []) {
      const env = environment(path, { filters })
      const call = { command: 'git', args, cwd, env, label: `git ${args[0]}`, timeoutMs: WRITE_MS, signal }
      const ended = await runCommand(machine, { ...call, contained: false })
      if (ended.late) throw tooLong(args)
      if (ended.code === 127) throw noGit()
      if (ended.code !== 0) throw new GitFailure(args, ended.code, ended.stderr)
    },
    async filters(cwd) {
      const keys = (await read(cwd, ['config', '--list', '--name-only', '-z'])).split('\0')
      return [...new Set(keys.flatMap((key) => /^filter\.(.+)\.[^.]+$/s.exec(key)?.[1] ?? []))]
    },
    queue: queues.run,
  }
}

function environment(path: string, { filters = [], magic = false }: ReadOptions): Record<string, string> {
  const off = filters.flatMap((name) => [
    ...['clean', 'smudge', 'process'].map((part) => [`filter.${name}.${part}`, ''] as const),
    [`filter.${name}.required`, 'false'] as const,
  ])
  const settings = [...SETTINGS, ...off].flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ])
  return {
    PATH: path,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_LAZY_FETCH: '1',
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_PAGER: 'cat',
    ...(magic ? {} : { GIT_LITERAL_PATHSPECS: '1' }),
    GIT_CONFIG_COUNT: String(SETTINGS.length + off.length),
    ...Object.fromEntries(settings),
  }
}

function execute(cwd: string, args: readonly string[], env: Record<string, string>, encoding: 'utf8' | 'latin1') {
  const options = { cwd, env, encoding, timeout: READ_MS, killSignal: 'SIGKILL', maxBuffer: MAX_BYTES } as const
  return new Promise<string>((resolve, reject) => {
    const child = execFile('git', args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout)
      if (isAbsent(error)) return reject(noGit())
      if (error.killed) return reject(tooLong(args))
      reject(new GitFailure(args, typeof error.code === 'number' ? error.code : null, stderr))
    })
    child.stdin?.end()
  })
}

function noGit(): CarrelError {
  const text =
    'git was not found, or the folder is missing. Install git, or make the project as an overlay, which needs none.'
  return new CarrelError('unavailable', text)
}

function tooLong(args: readonly string[]): CarrelError {
  const text = `git ${args[0]} took too long and was ended. Check the repository, then try again.`
  return new CarrelError('unavailable', text)
}
