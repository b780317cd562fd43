import { execFile } from 'node:child_process'
import { CarrelError } from '../../model/errors.ts'
import { isAbsent } from '../../primitives/absent-as-null.ts'
import { createSerialByKey } from '../../primitives/serial.ts'
import { type Machine, runCommand } from './command.ts'

/**
 * git, cut off from everything that could change what it does or make it run something: the environment and the
 * settings of the person, hooks, filters, helpers, the network. What a repository's own settings say is overruled where it
 * names a program; so a repository of a stranger can be looked at and checked out.
 */
export interface Git {
  /** A command that only reads. @throws GitFailure, or CarrelError where git is not there or takes too long */
  look(cwd: string, args: readonly string[], how?: Look): Promise<string>
  /** The same, with the exit code 1 as the answer null: git's way to say no. */
  ask(cwd: string, args: readonly string[]): Promise<string | null>
  /** A command that writes. Call it in the repository's queue, but for what concerns one work tree alone. */
  write(cwd: string, args: readonly string[], signal: AbortSignal, filters?: Filters): Promise<void>
  /** Filters that the settings of this folder name. Their programs are never run. */
  filters(cwd: string): Promise<Filters>
  /** One at a time for one repository: git's own locks give up instead of waiting. */
  queue<T>(repository: string, work: () => Promise<T>): Promise<T>
}

export type Filters = readonly string[]

export interface Look {
  readonly filters?: Filters
  /** Pathspecs with magic in them; never for a path that came from somewhere. */
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

const LOOK_MS = 60_000
const WRITE_MS = 30 * 60_000
const MAX_BYTES = 256 << 20

/** Settings that win over those of the repository. */
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
  // These would write the settings that all work trees share.
  ['branch.autoSetupMerge', 'false'],
  ['branch.autoSetupRebase', 'never'],
  ['worktree.useRelativePaths', 'false'],
  // A repository of another owner is fine: nothing it names is run.
  ['safe.directory', '*'],
]

export function createGit(machine: Machine): Git {
  const queues = createSerialByKey<string>()
  const { path } = machine
  const look: Git['look'] = (cwd, args, how = {}) => execute(cwd, args, environment(path, how), how.encoding ?? 'utf8')
  return {
    look,
    async ask(cwd, args) {
      try {
        return await look(cwd, args)
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
      const keys = (await look(cwd, ['config', '--list', '--name-only', '-z'])).split('\0')
      return [...new Set(keys.flatMap((key) => /^filter\.(.+)\.[^.]+$/s.exec(key)?.[1] ?? []))]
    },
    queue: queues.run,
  }
}

function environment(path: string, { filters = [], magic = false }: Look): Record<string, string> {
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
  const options = { cwd, env, encoding, timeout: LOOK_MS, killSignal: 'SIGKILL', maxBuffer: MAX_BYTES } as const
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
  return new CarrelError(
    'unavailable',
    'git was not found, or the folder has gone. Install git, or make the project as an overlay, which needs none.',
  )
}

function tooLong(args: readonly string[]): CarrelError {
  return new CarrelError(
    'unavailable',
    `git ${args[0]} took too long and was ended. Look at the repository, then try again.`,
  )
}
