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
import { fileTrouble } from '../../model/file-trouble.ts'
import { absentAsNull, isAbsent, isPresent } from '../../primitives/absent-as-null.ts'
import { bestEffort } from '../../primitives/best-effort.ts'
import { checkDatabase, copyDatabase } from '../../store/sqlite/sqlite-copy.ts'
import { copyEntry, digestOf, isFree, walk } from './backup-files.ts'

export interface BackupWish {
  readonly dataFolder: string
  readonly databaseUrl: string | null
  /** Leave the database out: on Postgres it has tools of its own. */
  readonly filesOnly: boolean
  readonly version: string
  readonly now: number
}

/** How far it is, for a person who waits. */
export type Progress = (what: string, done: number, of: number | null) => void

interface Making {
  readonly wish: BackupWish
  /** The backup under a name that says it is not complete. */
  readonly into: string
  readonly say: Progress
  readonly entries: BackupEntry[]
  readonly skipped: { path: string; why: string }[]
}

export const MANIFEST = 'manifest.json'

/**
 * Copies what the data folder holds into a new folder, also while a server writes to it, reads it back, and only then
 * gives it its name: a backup that has its name is whole.
 * @throws bad_input when the place is not free, unavailable when it cannot be made; then nothing is left of it
 */
export async function makeBackup(wish: BackupWish, target: string, say: Progress): Promise<BackupManifest> {
  const path = resolve(target)
  const from = await absentAsNull(realpath(wish.dataFolder)).catch((thrown) => {
    throw fileTrouble(`The data folder ${wish.dataFolder} cannot be read.`, thrown)
  })
  if (from === null)
    throw new CarrelError('not_found', `There is no data folder ${wish.dataFolder}. Name it with --data.`)
  await checkTarget(path, from)
  if (wish.databaseUrl !== null && !wish.filesOnly)
    throw new CarrelError(
      'unavailable',
      'The database is Postgres, which is copied with its own tools: run `pg_dump`, and then `carrel backup --files-only` for what is in the data folder.',
    )
  const into = `${path}.part`
  const making: Making = { wish: { ...wish, dataFolder: from }, into, say, entries: [], skipped: [] }
  try {
    await rm(into, { recursive: true, force: true })
    await mkdir(into, { recursive: true, mode: 0o700 })
    for (const part of BACKUP_PARTS) await takePart(making, part)
    const manifest = await seal(making)
    await readBack(into, manifest, say)
    // An empty folder may stand there; anything else was refused.
    await rm(path, { recursive: true, force: true })
    await rename(into, path)
    return manifest
  } catch (thrown) {
    await bestEffort(rm(into, { recursive: true, force: true }))
    throw fileTrouble(`The backup ${path} could not be made, and nothing of it is left.`, thrown)
  }
}

async function checkTarget(path: string, dataFolder: string): Promise<void> {
  if (`${path}${sep}`.startsWith(`${dataFolder}${sep}`))
    throw new CarrelError('bad_input', 'A backup does not go into the data folder itself. Choose another place.')
  if (!(await isFree(path)))
    throw new CarrelError('bad_input', `${path} is there already. Name a folder that is not there, or is empty.`)
}

async function takePart(making: Making, part: BackupPart): Promise<void> {
  const { wish, say } = making
  const source = join(wish.dataFolder, part.path)
  if (part.kind === 'tree') return await takeTree(making, part)
  if (!isPresent(source) || (part.path === 'carrel.db' && wish.filesOnly)) return
  say(part.name, 0, null)
  if (part.kind === 'file') return await take(making, part.path, 'file')
  const copy = join(making.into, part.path)
  await mkdir(dirname(copy), { recursive: true, mode: 0o700 })
  await copyDatabase(source, copy, (done, of) => say(part.name, done, of))
  await checkDatabase(copy)
  const { size } = await lstat(copy)
  making.entries.push({ kind: 'file', path: part.path, bytes: size, mode: 0o600, sha256: await digestOf(copy) })
}

const DATABASES = BACKUP_PARTS.filter(({ kind }) => kind === 'database').map(({ path }) => path)
/** Of a database in use these files say nothing without one another: it was copied as a whole. */
const isDatabase = (path: string) => DATABASES.some((name) => path === name || path.startsWith(`${name}-`))

async function takeTree(making: Making, part: BackupPart): Promise<void> {
  let count = 0
  for await (const { path, kind } of walk(making.wish.dataFolder, part.path)) {
    if (isDatabase(path)) continue
    if (kind === 'other') making.skipped.push({ path, why: 'It is no file, folder or link.' })
    else await take(making, path, kind)
    count += 1
    if (count % 100 === 0) making.say(part.name, count, null)
  }
}

/** A file that agents remove or lock meanwhile is said, and the others go on; a full disk ends it. */
async function take(making: Making, path: string, kind: BackupEntry['kind']): Promise<void> {
  try {
    making.entries.push(await copyEntry(making.wish.dataFolder, making.into, path, kind))
  } catch (thrown) {
    const { code, syscall, path: where } = thrown as NodeJS.ErrnoException
    const read = where?.startsWith(making.wish.dataFolder) === true || syscall === 'read'
    if (!read || !(isAbsent(thrown) || code === 'EACCES' || code === 'EPERM')) throw thrown
    making.skipped.push({ path, why: isAbsent(thrown) ? 'It was removed meanwhile.' : 'It may not be read.' })
  }
}

async function seal({ wish, into, entries, skipped }: Making): Promise<BackupManifest> {
  const schema = entries.some(({ path }) => path === 'carrel.db') ? await checkDatabase(join(into, 'carrel.db')) : null
  const { version: carrel, now: at, dataFolder } = wish
  const leavesOut = [...BACKUP_LEAVES_OUT]
  const manifest = { format: BACKUP_FORMAT, carrel, schema, at, dataFolder, entries, skipped, leavesOut } as const
  await writeFile(join(into, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`, { mode: 0o600, flush: true })
  return manifest
}

async function readBack(into: string, { entries }: BackupManifest, say: Progress): Promise<void> {
  for (const [index, entry] of entries.entries()) {
    if (index % 100 === 0) say('reading it back', index, entries.length)
    if (entry.kind === 'file' && (await digestOf(join(into, entry.path))) !== entry.sha256)
      throw new CarrelError('unavailable', `${entry.path} came back from the disk as something else. Check the disk.`)
  }
}
