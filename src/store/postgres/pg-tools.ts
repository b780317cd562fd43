import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { accessSync, constants, globSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { CarrelError } from '../../model/errors.ts'
import { isAbsent } from '../../primitives/absent-as-null.ts'
import { errorCode } from '../../primitives/error-code.ts'

export interface PgTools {
  /** The major version of the programs, as in 15. */
  readonly major: number
  readonly dump: string
  readonly restore: string
  readonly psql: string
}

export interface PgObstacle {
  readonly text: string
  readonly next: string
}

export type ToolEnv = Readonly<Record<string, string | undefined>>

/** Folders where systems install several versions side by side. */
const INSTALLED = ['/usr/lib/postgresql/*/bin', '/usr/pgsql-*/bin', '/opt/homebrew/opt/postgresql@*/bin']

/**
 * Finds `pg_dump`, `pg_restore` and `psql` of the server's version or newer: first on the PATH, then in `systemWide`.
 * @param systemWide patterns of folders beyond the PATH
 */
export async function findPgTools(
  serverMajor: number,
  env: ToolEnv,
  systemWide: readonly string[] = INSTALLED,
): Promise<PgTools | PgObstacle> {
  const onPath = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const folders = [...onPath, ...systemWide.flatMap((pattern) => globSync(pattern).sort().reverse())]
  const older = new Set<number>()
  for (const folder of new Set(folders)) {
    const [dump, restore, psql] = ['pg_dump', 'pg_restore', 'psql'].map((name) => join(folder, name))
    if (!dump || !restore || !psql || ![dump, restore, psql].every(mayRun)) continue
    const major = await majorOf(dump, env)
    if (major === null) continue
    if (major >= serverMajor) return { major, dump, restore, psql }
    older.add(major)
  }
  const next = `Install the client programs of Postgres ${serverMajor} (Debian: postgresql-client-${serverMajor}), or make your own copy and set CARREL_UPGRADE_COPY=made.`
  if (older.size === 0)
    return { text: 'pg_dump, pg_restore and psql were not found, so Carrel cannot create a copy.', next }
  const found = [...older].sort((a, b) => a - b).join(', ')
  return { text: `pg_dump of version ${found} cannot copy from a Postgres server of version ${serverMajor}.`, next }
}

function mayRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch (thrown) {
    if (isAbsent(thrown) || errorCode(thrown) === 'EACCES') return false
    throw thrown
  }
}

async function majorOf(program: string, env: ToolEnv): Promise<number | null> {
  const output = await new Promise<string>((resolve) => {
    execFile(program, ['--version'], { env: toolEnv(env), timeout: 10_000 }, (error, stdout) =>
      resolve(error ? '' : stdout),
    )
  })
  const [, major] = /\(PostgreSQL\) (\d+)/.exec(output) ?? []
  return major === undefined ? null : Number(major)
}

const PASSED = [
  ...['PATH', 'HOME', 'LANG', 'LC_ALL', 'TMPDIR', 'SystemRoot'],
  ...['PGPASSFILE', 'PGSSLMODE', 'PGSSLROOTCERT', 'PGSSLCERT', 'PGSSLKEY'],
]

const toolEnv = (env: ToolEnv): Record<string, string> =>
  Object.fromEntries(
    PASSED.flatMap((name) => {
      const value = env[name]
      return value === undefined ? [] : [[name, value] as const]
    }),
  )

/** A database for the programs. The password goes through the environment, since other users can read arguments. */
export interface PgTarget {
  readonly url: string
  readonly env: ToolEnv
}

const withoutPassword = (url: string): string => {
  const plain = new URL(url)
  plain.password = ''
  return plain.href
}

const passwordOf = (url: string): string => decodeURIComponent(new URL(url).password)

export interface PgProcess {
  readonly stdin: Writable
  readonly stdout: Readable
  /** Resolves after a successful end. @throws unavailable with the program's error output */
  readonly ended: Promise<void>
  kill(): void
}

/** Starts one of the programs. A `PgTarget` adds the address of the database. */
export function startTool(program: string, args: readonly string[], target: PgTarget | ToolEnv): PgProcess {
  const isTarget = (value: PgTarget | ToolEnv): value is PgTarget => typeof value.url === 'string' && 'env' in value
  const password = isTarget(target) ? passwordOf(target.url) : ''
  const child: ChildProcess = spawn(
    program,
    [...args, ...(isTarget(target) ? ['--dbname', withoutPassword(target.url)] : [])],
    {
      env: {
        ...toolEnv(isTarget(target) ? target.env : target),
        PGAPPNAME: 'carrel copy',
        ...(password === '' ? {} : { PGPASSWORD: password }),
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  )
  const { stdin, stdout, stderr } = child
  if (!stdin || !stdout || !stderr) throw new Error('the streams of a child are pipes')
  let output = ''
  stderr.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-2_000)
  })
  // A program that ends early leaves a broken pipe. Its exit tells more.
  stdin.on('error', () => undefined)
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (cause) => reject(failed(program, cause.message, cause)))
    child.once('close', (code, signal) => {
      if (code === 0) resolve()
      else reject(failed(program, output.trim() || `it ended with ${signal ?? code}`))
    })
  })
  // Callers await it only after their pipe: an earlier failure must not be an unhandled rejection.
  ended.catch(() => undefined)
  return { stdin, stdout, ended, kill: () => void child.kill('SIGKILL') }
}

const failed = (program: string, reason: string, cause?: unknown): CarrelError =>
  new CarrelError('unavailable', `${program} failed: ${reason.replace(/\.$/, '')}.`, { program }, cause)

const NEWLINE = 10

/**
 * Counts the rows of each table in the text of a dump: a row is a line between `COPY table (...) FROM stdin;` and `\.`.
 * Splits lines by bytes, so that no Unicode line separator in a text ends a row.
 */
export async function countDumped(dump: AsyncIterable<Buffer>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  let table: string | null = null
  let rest = Buffer.alloc(0)
  for await (const chunk of dump) {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const line = rest.length > 0 ? Buffer.concat([rest, chunk.subarray(from, end)]) : chunk.subarray(from, end)
      rest = Buffer.alloc(0)
      from = end + 1
      if (table === null) {
        table = copiedTable(line)
        if (table !== null) counts[table] = 0
      } else if (line.length === 2 && line.toString('latin1') === '\\.') table = null
      else counts[table] = (counts[table] ?? 0) + 1
    }
    // Only the beginning of a row matters, so a long row is not kept.
    const more = chunk.subarray(from)
    if (more.length > 0) rest = table === null || rest.length < 4 ? Buffer.concat([rest, more]) : rest
  }
  return counts
}

function copiedTable(line: Buffer): string | null {
  if (line.length > 4_096) return null
  const [, name] = /^COPY (?:(?:\w+|"[^"]+")\.)?"?(\w+)"? \(.*\) FROM stdin;$/.exec(line.toString('utf8')) ?? []
  return name ?? null
}
