import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { asCarrelError } from '../../model/errors.ts'
import type { ReportProgress } from '../../model/upgrade.ts'
import { findRoom, stateOf, type UpgradeFinding, type UpgradeReport } from '../../model/upgrade.ts'
import { SQLITE } from '../sql/dialect.ts'
import { effectsOfAll } from '../sql/migrations/catalog.ts'
import { MIGRATIONS, schemaVersion } from '../sql/migrations/migrate.ts'
import type { Migration } from '../sql/migrations/migration.ts'
import { preflight } from '../sql/migrations/preflight.ts'
import { findLocked } from '../sql/migrations/statements.ts'
import { estimateOf, type Trial, type TrialSchema, tryMigrations } from '../sql/migrations/trial.ts'
import type { UpgradeOptions } from '../upgrade/copies.ts'
import { sampleFailed } from '../upgrade/failures.ts'
import { holderOfFolder } from './lock.ts'
import { asideAddress, expectSound, readAside, sizeOf } from './sqlite-aside.ts'
import { sqliteTx } from './sqlite-tx.ts'
import { roomFor } from './sqlite-upgrade.ts'

interface Check extends UpgradeOptions {
  readonly path: string
  readonly say: ReportProgress
  readonly migrations?: readonly Migration[]
}

/**
 * Checks whether a database can be upgraded, and estimates the effort. Changes nothing in its folder. Tries a sample in
 * a temporary folder, which is removed.
 * @throws unavailable when the database cannot be read, or a newer Carrel wrote it
 */
export async function checkSqlite({ migrations = MIGRATIONS, ...check }: Check): Promise<UpgradeReport> {
  const { path, carrel, say } = check
  const known = migrations.length
  const base = { engine: 'sqlite', location: resolve(path), carrel, steps: [], room: [], estimate: null } as const
  const nothing = { ...base, locked: [], findings: [] } as const
  if (!statSync(path, { throwIfNoEntry: false })?.size) return { ...nothing, state: 'new', schema: { data: 0, known } }
  const result = await readAside(path, async (tx, db) => {
    const version = await schemaVersion(tx, known)
    if (version === known) return null
    const before = performance.now()
    const findings: UpgradeFinding[] = [...nodeFindings(path), ...damageFindings(db, path, say)]
    const checkMs = performance.now() - before
    say('checking the rows', 0, null)
    findings.push(...(await preflight(tx, migrations.slice(version))))
    const room = version === 0 ? [] : roomFor(db, { ...check, version, migrations, tx })
    return { version, room, findings: [...findings, ...findRoom(room)], bytes: sizeOf(db), checkMs }
  })
  if (result === null) return { ...nothing, state: 'current', schema: { data: known, known } }
  const { version, room, findings, bytes, checkMs } = result
  const pending = migrations.slice(version)
  // A sample would fail on the same findings.
  const broken = findings.some(({ kind }) => kind === 'collision' || kind === 'damage')
  const tried = broken || version === 0 ? null : await trySample(path, version, migrations, say)
  if (tried && 'finding' in tried) findings.push(tried.finding)
  const copyMs = (msPerByte: number) => (check.copy === 'made' ? 0 : bytes * msPerByte + checkMs)
  return {
    ...base,
    state: stateOf(findings),
    schema: { data: version, known },
    steps: pending.map(({ name, summary }) => ({ name, summary })),
    room,
    estimate: tried && 'trial' in tried ? estimateOf(tried.trial, copyMs(tried.msPerByte)) : null,
    locked: findLocked(effectsOfAll(pending, SQLITE)),
    findings,
  }
}

function nodeFindings(path: string): UpgradeFinding[] {
  const folder = dirname(resolve(path))
  const holder = holderOfFolder(folder)
  if (holder === null) return []
  const name = holder.pid === null ? 'A process' : `Process ${holder.pid}`
  return [
    { level: 'stop', kind: 'node', text: `${name} is using the data folder ${folder}.`, next: 'Stop that process.' },
  ]
}

function damageFindings(db: DatabaseSync, path: string, say: ReportProgress): UpgradeFinding[] {
  say('checking the pages of the database', 0, null)
  try {
    expectSound(db, path)
    return []
  } catch (thrown) {
    const { message } = asCarrelError(thrown)
    return [{ level: 'block', kind: 'damage', text: message, next: 'Restore a backup.' }]
  }
}

async function trySample(
  path: string,
  version: number,
  migrations: readonly Migration[],
  say: ReportProgress,
): Promise<{ trial: Trial; msPerByte: number } | { finding: UpgradeFinding }> {
  const folder = mkdtempSync(join(tmpdir(), 'carrel-trial-'))
  try {
    say('measuring a sample', 0, null)
    const msPerByte = measureCopy(path, join(folder, 'copy'))
    let count = 0
    const open = async () => openTrial(path, join(folder, `trial-${++count}.db`))
    return { msPerByte, trial: await tryMigrations(open, version, migrations) }
  } catch (thrown) {
    return { finding: sampleFailed(asCarrelError(thrown).message) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function openTrial(path: string, trial: string): TrialSchema {
  const db = new DatabaseSync(trial)
  db.exec('pragma journal_mode = wal; pragma synchronous = full; pragma temp_store = memory')
  db.prepare('attach ? as data').run(asideAddress(path))
  db.exec('begin')
  return {
    tx: sqliteTx(db),
    data: 'data.',
    async commit() {
      db.exec('commit')
    },
    async close() {
      db.close()
    },
  }
}

/** Bytes of the database that are copied for the measurement. */
const MEASURED = 33_554_432

/** Measures the ms per byte of a copy: one write and two digests, without the check of its pages. */
function measureCopy(path: string, target: string): number {
  const before = performance.now()
  const [from, to] = [openSync(path, 'r'), openSync(target, 'w', 0o600)]
  try {
    const [buffer, digest] = [Buffer.allocUnsafe(1_048_576), createHash('sha256')]
    let bytes = 0
    for (;;) {
      const read = readSync(from, buffer, 0, buffer.length, null)
      if (read > 0) writeSync(to, buffer, 0, read)
      for (let times = 0; times < 2; times += 1) digest.update(buffer.subarray(0, read))
      bytes += read
      if (read === 0 || bytes >= MEASURED) break
    }
    fsyncSync(to)
    return (performance.now() - before) / Math.max(1, bytes)
  } finally {
    closeSync(from)
    closeSync(to)
  }
}
