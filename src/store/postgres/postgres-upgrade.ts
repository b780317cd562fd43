import { asCarrelError, CarrelError } from '../../model/errors.ts'
import { fileTrouble } from '../../model/files/file-trouble.ts'
import {
  findRoom,
  joinRoom,
  type ReportProgress,
  refuseFindings,
  roomToMigrate,
  type UpgradeFinding,
  type UpgradeRoom,
} from '../../model/upgrade.ts'
import { countRows, tablesAfter } from '../sql/migrations/catalog.ts'
import { migrate } from '../sql/migrations/migrate.ts'
import type { Migration } from '../sql/migrations/migration.ts'
import { preflight } from '../sql/migrations/preflight.ts'
import type { Tx } from '../sql/tx.ts'
import { type Copy, makeCopy, type UpgradeOptions } from '../upgrade/copies.ts'
import { diskFull, stepFailed, withCopy } from '../upgrade/failures.ts'
import { roomAt } from '../upgrade/room.ts'
import { countDumped, findPgTools, type PgTools, startTool, type ToolEnv } from './pg-tools.ts'
import { fromPostgres, mayRetry } from './postgres-errors.ts'
import { livingNodes } from './postgres-nodes.ts'

export interface PostgresUpgradeOptions extends UpgradeOptions {
  readonly holder: string | null
  /** The environment of the Postgres programs, with the PATH to find them. */
  readonly env: ToolEnv
  /** Patterns of folders beyond the PATH; by default the usual folders of the system. */
  readonly toolFolders?: readonly string[]
  /** Thrown instead of an upgrade, for a node that may read only. */
  readonly refusal?: Error | null
}

export interface PostgresPlace {
  readonly url: string
  readonly schema: string
}

interface Upgrade extends PostgresPlace {
  readonly tx: Tx
  readonly version: number
  readonly now: number
  readonly say: ReportProgress
  readonly migrations: readonly Migration[]
}

/**
 * Upgrades the tables from `version` to the newest schema. The caller's transaction holds the lock of migrations.
 * Checks the data and copies it with `pg_dump` first; no other connection can write in between.
 * @throws unavailable when the upgrade is refused, internal when a step fails; the caller rolls back
 */
export async function upgradePostgres(upgrade: Upgrade, options: PostgresUpgradeOptions | null): Promise<void> {
  const { tx, version, now, say, migrations } = upgrade
  if (version === 0) {
    refuseFindings(0, migrations.length, await preflight(tx, migrations))
    return await migrate(tx, { version, now, migrations })
  }
  if (options?.refusal) throw options.refusal
  const { findings, tools, room } = await lookOver(upgrade, options)
  refuseFindings(version, migrations.length, findings)
  let doing = 'the copy'
  let copy: Copy | null = null
  try {
    await lockTables(upgrade)
    copy = options?.copy === 'make' && tools ? await copyPostgres(upgrade, options, { tools, reason: 'upgrade' }) : null
    if (copy) say(`copied the data to ${copy.folder}`, 1, 1)
    doing = 'the preparation of its steps'
    let step = 0
    const notify = ({ name }: Migration) => {
      doing = `step ${name}`
      step += 1
      say(`upgrade step ${name}`, step, migrations.length - version)
    }
    await migrate(tx, { version, now, migrations, notify })
  } catch (thrown) {
    throw withCopy(postgresFailure(thrown, doing, room), copy)
  }
}

export async function lookOver(
  upgrade: Omit<Upgrade, 'say'>,
  options: PostgresUpgradeOptions | null,
): Promise<{ findings: UpgradeFinding[]; tools: PgTools | null; room: UpgradeRoom[] }> {
  const { tx, schema, now, version, migrations } = upgrade
  const findings = await livingNodes(tx, { schema, now, holder: options?.holder ?? null })
  findings.push(...(await preflight(tx, migrations.slice(version))))
  const rewritten = migrations.slice(version).flatMap(({ rewrites }) => rewrites?.(tx.dialect) ?? [])
  const neededBytes = roomToMigrate(await sizeOfTables(upgrade, [...new Set(rewritten)]))
  const room: UpgradeRoom[] = [{ where: 'the Postgres server', neededBytes, freeBytes: null }]
  if (options?.copy === 'made') return { findings, tools: null, room }
  const made = options === null ? NO_FOLDER : await findPgTools(await serverMajor(tx), options.env, options.toolFolders)
  if ('text' in made) findings.push({ level: 'block', kind: 'copy', ...made })
  if (options) room.push(...joinRoom([roomAt(options.copies, await sizeOfTables(upgrade, tablesAt(upgrade)))]))
  findings.push(...findRoom(room))
  return { findings, tools: 'text' in made ? null : made, room }
}

const NO_FOLDER = {
  text: 'The folder for a copy is not set.',
  next: 'Open the database with `carrel serve`, or set a folder for copies.',
}

export async function serverMajor(tx: Tx): Promise<number> {
  const row = await tx.get<{ version: string }>(`select current_setting('server_version_num') as version`)
  return Math.floor(Number(row?.version) / 10_000)
}

const tablesAt = ({ tx, version, migrations }: Pick<Upgrade, 'tx' | 'version' | 'migrations'>): string[] =>
  tablesAfter(migrations.slice(0, version), tx.dialect)

/** Returns the bytes of tables without their indexes. */
export async function sizeOfTables(
  { tx, schema }: Pick<Upgrade, 'tx' | 'schema'>,
  tables: readonly string[],
): Promise<number> {
  let bytes = 0
  for (const table of tables) {
    const row = await tx.get<{ bytes: number | null }>(
      'select pg_table_size(to_regclass($1)) as bytes',
      `"${schema}"."${table}"`,
    )
    bytes += row?.bytes ?? 0
  }
  return bytes
}

/** Longest wait for a table lock. ms. */
const LOCK_WAIT_MS = 10_000

/** Locks the tables against writes until the commit. `pg_dump` can still read. */
export async function lockTables(upgrade: Pick<Upgrade, 'tx' | 'version' | 'migrations'>): Promise<void> {
  const { tx } = upgrade
  await tx.run(`set local lock_timeout = ${LOCK_WAIT_MS}`)
  // This transaction is idle during the copy, which may take long.
  await tx.run('set local idle_in_transaction_session_timeout = 0')
  await tx.run(`lock table ${tablesAt(upgrade).join(', ')} in share mode`)
}

interface PostgresCopy {
  readonly tools: PgTools
  readonly reason: 'upgrade' | 'back'
  /** Names of copies that stay, however old they are. */
  readonly needed?: readonly string[]
}

/**
 * Copies the tables of Carrel with `pg_dump`, reads the copy with `pg_restore` and counts its rows.
 * @throws unavailable when that fails, or the rows of the copy differ from those of the tables
 */
export async function copyPostgres(
  upgrade: Upgrade,
  { copies, carrel, env }: PostgresUpgradeOptions,
  { tools, reason, needed = [] }: PostgresCopy,
): Promise<Copy> {
  const { tx, url, schema, version, now, say } = upgrade
  const tables = tablesAt(upgrade)
  const made = { carrel, schema: version, at: now, reason, source: `${publicAddress(url)} ${schema}` }
  const facts = { engine: 'postgres', ...made, file: 'carrel.pgdump', toolMajor: tools.major } as const
  const write = async (file: string) => {
    say('copying the database with pg_dump', 0, null)
    const named = tables.map((table) => `--table="${schema}"."${table}"`)
    const args = ['--format=custom', `--file=${file}`, `--lock-wait-timeout=${LOCK_WAIT_MS}`, ...named]
    await startTool(tools.dump, args, { url, env }).ended
    say('verifying the copy', 0, null)
    const rows = await countCopy(tools, file, env)
    const present = await countRows(tx, tables)
    if (JSON.stringify(sorted(present)) !== JSON.stringify(sorted(rows))) {
      const message =
        'The copy does not hold the same rows as the database. Nothing was changed. Stop other programs that write to it, then try again.'
      throw new CarrelError('unavailable', message, { there: present, copied: rows })
    }
    return rows
  }
  return await makeCopy(copies, facts, write, { say, needed })
}

export async function countCopy(tools: PgTools, file: string, env: ToolEnv): Promise<Record<string, number>> {
  const reading = startTool(tools.restore, ['--data-only', '--file=-', file], env)
  const [rows] = await Promise.all([countDumped(reading.stdout), reading.ended])
  return sorted(rows)
}

const sorted = (rows: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(rows).sort(([a], [b]) => (a < b ? -1 : 1)))

/** Returns the address without user and password (B3). */
export function publicAddress(url: string): string {
  const { host, pathname } = new URL(url)
  return `postgres://${host}${pathname}`
}

const TABLES_IN_USE =
  'Other programs are writing to the tables of Carrel, so the upgrade did not start. Stop them, then start Carrel again.'

/** Converts a failure of an upgrade into an error with step and remedy. Returns conflicts unchanged for a retry. */
export function postgresFailure(thrown: unknown, doing: string, room: readonly UpgradeRoom[]): unknown {
  // The caller repeats the whole transaction after a conflict.
  if (mayRetry(thrown)) return thrown
  const code = (thrown as { code?: unknown } | null)?.code
  if (code === '53100' || code === 'ENOSPC' || code === 'EDQUOT') {
    return diskFull(code === '53100' ? 'The disk of the Postgres server' : 'The disk', doing, room, thrown)
  }
  if (code === '55P03') return new CarrelError('unavailable', TABLES_IN_USE, { step: doing }, thrown)
  const known = fileTrouble(`The upgrade stopped at ${doing}, and nothing was changed.`, thrown)
  const error = known.code === 'internal' ? fromPostgres(thrown) : known
  if (error.code !== 'internal' || (error.data as { step?: unknown } | undefined)?.step !== undefined) return error
  const detail = asCarrelError(thrown)
    .message.replace(/^Carrel has an internal error: /, '')
    .replace(/\.$/, '')
  return stepFailed(doing, detail, thrown)
}
