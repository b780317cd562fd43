import { lstat, mkdir, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import {
  BACKUP_FORMAT,
  BACKUP_LEAVES_OUT,
  BACKUP_PARTS,
  type BackupEntry,
  type BackupManifest,
  type BackupPart,
} from '../../model/backup.ts'
import { CarrelError } from '../../model/errors.ts'
import { fileTrouble } from '../../model/files/file-trouble.ts'
import type { ReportProgress } from '../../model/upgrade.ts'
import { absentAsNull, isAbsent, isPresent } from '../../primitives/absent-as-null.ts'
import { bestEffort } from '../../primitives/best-effort.ts'
import { checkDatabase, copyDatabase } from '../../store/sqlite/sqlite-copy.ts'
import { copyEntry, digestOf, isFree, unlessAborted, walk } from './backup-files.ts'

export interface BackupRequest {
  readonly dataFolder: string
  readonly databaseUrl: string | null
  /** Leaves out the database, because Postgres has its own backup tools. */
  readonly filesOnly: boolean
  readonly version: string
  readonly now: number
  /** Ends the backup between two files, or between two portions of a database; nothing of it is left then. */
  readonly signal?: AbortSignal
}

interface Work {
  readonly request: BackupRequest
  /** The folder of the unfinished backup. */
  readonly into: string
  readonly say: ReportProgress
  readonly entries: BackupEntry[]
  readonly skipped: { path: string; why: string }[]
}

export const MANIFEST = 'manifest.json'

/**
 * Copies the data folder into a new folder, also while a server writes to it. The backup gets its final name only
 * after it was read back, so that a backup with a final name is complete.
 * @throws bad_input when the target is not empty, unavailable when the backup fails; then nothing is left of it
 */
export async function makeBackup(request: BackupRequest, target: string, say: ReportProgress): Promise<BackupManifest> {
  const path = resolve(target)
  const from = await absentAsNull(realpath(request.dataFolder)).catch((thrown) => {
    throw fileTrouble(`The data folder ${request.dataFolder} cannot be read.`, thrown)
  })
  if (from === null)
    throw new CarrelError('not_found', `The data folder ${request.dataFolder} does not exist. Set it with --data.`)
  await checkTarget(path, from)
  if (request.databaseUrl !== null && !request.filesOnly)
    throw new CarrelError(
      'unavailable',
      'Postgres has its own backup tools: run `pg_dump`, then `carrel backup --files-only` for the data folder.',
    )
  const into = `${path}.part`
  const go = unlessAborted(say, request.signal)
  const work: Work = { request: { ...request, dataFolder: from }, into, say: go, entries: [], skipped: [] }
  try {
    await rm(into, { recursive: true, force: true })
    await mkdir(into, { recursive: true, mode: 0o700 })
    for (const part of BACKUP_PARTS) await takePart(work, part)
    const manifest = await seal(work)
    await readBack(into, manifest, go)
    // The target may be an empty folder; anything else was refused.
    await rm(path, { recursive: true, force: true })
    await rename(into, path)
    return manifest
  } catch (thrown) {
    await bestEffort(rm(into, { recursive: true, force: true }))
    throw fileTrouble(`The backup ${path} failed, and nothing of it is left.`, thrown)
  }
}

async function checkTarget(path: string, dataFolder: string): Promise<void> {
  if (`${path}${sep}`.startsWith(`${dataFolder}${sep}`))
    throw new CarrelError('bad_input', 'A backup cannot be inside the data folder. Choose another folder.')
  if (!(await isFree(path))) throw new CarrelError('bad_input', `${path} exists already. Name a new or empty folder.`)
}

async function takePart(work: Work, part: BackupPart): Promise<void> {
  const { request, say } = work
  const source = join(request.dataFolder, part.path)
  if (part.kind === 'tree') return await takeTree(work, part)
  if (!isPresent(source) || (part.path === 'carrel.db' && request.filesOnly)) return
  say(part.name, 0, null)
  if (part.kind === 'file') return await take(work, part.path, 'file')
  const copy = join(work.into, part.path)
  await mkdir(dirname(copy), { recursive: true, mode: 0o700 })
  await copyDatabase(source, copy, (done, of) => say(part.name, done, of))
  await checkDatabase(copy)
  const { size } = await lstat(copy)
  work.entries.push({ kind: 'file', path: part.path, bytes: size, mode: 0o600, sha256: await digestOf(copy) })
}

const DATABASES = BACKUP_PARTS.filter(({ kind }) => kind === 'database').map(({ path }) => path)
/** Tells the files of a database apart: they are copied as one, since single files of a database in use are useless. */
const isDatabase = (path: string) => DATABASES.some((name) => path === name || path.startsWith(`${name}-`))

async function takeTree(work: Work, part: BackupPart): Promise<void> {
  let count = 0
  for await (const { path, kind } of walk(work.request.dataFolder, part.path)) {
    if (isDatabase(path)) continue
    if (kind === 'other') work.skipped.push({ path, why: 'Not a file, folder or link.' })
    else await take(work, path, kind)
    count += 1
    if (count % 100 === 0) work.say(part.name, count, null)
  }
}

/**
 * Copies one entry. A file that agents remove or lock meanwhile is reported and skipped; a full disk ends the backup.
 */
async function take(work: Work, path: string, kind: BackupEntry['kind']): Promise<void> {
  try {
    work.entries.push(await copyEntry(work.request.dataFolder, work.into, path, kind))
  } catch (thrown) {
    const { code, syscall, path: where } = thrown as NodeJS.ErrnoException
    const read = where?.startsWith(work.request.dataFolder) === true || syscall === 'read'
    if (!read || !(isAbsent(thrown) || code === 'EACCES' || code === 'EPERM')) throw thrown
    work.skipped.push({ path, why: isAbsent(thrown) ? 'Removed during the backup.' : 'No permission to read.' })
  }
}

async function seal({ request, into, entries, skipped }: Work): Promise<BackupManifest> {
  const schema = entries.some(({ path }) => path === 'carrel.db') ? await checkDatabase(join(into, 'carrel.db')) : null
  const { version: carrel, now: at, dataFolder } = request
  const leavesOut = [...BACKUP_LEAVES_OUT]
  const manifest = { format: BACKUP_FORMAT, carrel, schema, at, dataFolder, entries, skipped, leavesOut } as const
  await writeFile(join(into, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`, { mode: 0o600, flush: true })
  return manifest
}

async function readBack(into: string, { entries }: BackupManifest, say: ReportProgress): Promise<void> {
  for (const [index, entry] of entries.entries()) {
    if (index % 100 === 0) say('reading the backup', index, entries.length)
    if (entry.kind === 'file' && (await digestOf(join(into, entry.path))) !== entry.sha256)
      throw new CarrelError('unavailable', `${entry.path} is not on the disk as it was written. Check the disk.`)
  }
}
