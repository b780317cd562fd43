import { chmod, mkdir, readFile, rename, rm, rmdir, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { writeBinding } from '../../host/identity/binding.ts'
import { BackupManifest, staysInside } from '../../model/backup.ts'
import { CarrelError } from '../../model/errors.ts'
import { fileTrouble } from '../../model/files/file-trouble.ts'
import type { ReportProgress } from '../../model/upgrade.ts'
import { absentAsNull, isAbsent } from '../../primitives/absent-as-null.ts'
import { bestEffort } from '../../primitives/best-effort.ts'
import { checkDatabase, KNOWN_SCHEMA, moveBlankSpaces, tooNew } from '../../store/sqlite/sqlite-copy.ts'
import { MANIFEST } from './backup.ts'
import { copyFile, isFree, unlessAborted } from './backup-files.ts'

/**
 * Creates a data folder from a backup. Compares every file with its digest. The folder gets its final name only when it
 * is complete; when `signal` fires first, nothing of it is left. The restored folder is paused: the one that the backup was made of may live.
 * @throws bad_input for a folder that is not empty or is not a backup, unavailable for a damaged or too new backup
 */
export async function restoreBackup(
  backup: string,
  dataFolder: string,
  say: ReportProgress,
  signal?: AbortSignal,
): Promise<BackupManifest> {
  const from = resolve(backup)
  const to = resolve(dataFolder)
  const manifest = await readManifest(from)
  if (manifest.schema !== null && manifest.schema > KNOWN_SCHEMA) throw tooNew(manifest.schema)
  if (!(await isFree(to)))
    throw new CarrelError('bad_input', `${to} is not empty. Restore the backup into a new folder: set it with --data.`)
  const into = `${to}.part`
  try {
    await rm(into, { recursive: true, force: true })
    await mkdir(into, { recursive: true, mode: 0o700 })
    await copyAll(from, into, manifest, unlessAborted(say, signal))
    if (manifest.schema !== null) {
      await checkDatabase(join(into, 'carrel.db'))
      await moveBlankSpaces(join(into, 'carrel.db'), manifest.dataFolder, to)
    }
    const pause = { why: 'restored', other: manifest.dataFolder, at: manifest.at } as const
    await writeBinding(into, { format: 1, bound: null, pause, ended: null })
    await absentAsNull(rmdir(to))
    await rename(into, to)
    return manifest
  } catch (thrown) {
    await bestEffort(rm(into, { recursive: true, force: true }))
    throw fileTrouble(`${from} could not be restored, and nothing was changed.`, thrown)
  }
}

async function readManifest(from: string): Promise<BackupManifest> {
  const refusal = (cause: unknown) =>
    new CarrelError(
      'bad_input',
      `${from} is not a backup of Carrel: its ${MANIFEST} is missing or cannot be read. \`carrel backup\` creates one.`,
      undefined,
      cause,
    )
  const text = await readFile(join(from, MANIFEST), 'utf8').catch((cause) => {
    throw refusal(cause)
  })
  try {
    const manifest = BackupManifest.parse(JSON.parse(text))
    if (manifest.entries.every(({ path }) => staysInside(path))) return manifest
  } catch (cause) {
    throw refusal(cause)
  }
  throw refusal(undefined)
}

async function copyAll(from: string, into: string, { entries }: BackupManifest, say: ReportProgress): Promise<void> {
  for (const [index, entry] of entries.entries()) {
    if (index % 100 === 0) say('restoring', index, entries.length)
    const path = join(into, entry.path)
    if (entry.kind === 'folder') await mkdir(path, { recursive: true, mode: 0o700 })
    if (entry.kind !== 'file') continue
    const { sha256 } = await copyFile(join(from, entry.path), path, 0o600).catch((cause) => {
      if (!isAbsent(cause)) throw cause
      throw new CarrelError('unavailable', `${entry.path} is missing in the backup. Use another backup.`)
    })
    if (sha256 !== entry.sha256)
      throw new CarrelError(
        'unavailable',
        `${entry.path} in the backup is damaged: its digest differs. Use another backup.`,
      )
    await chmod(path, entry.mode)
  }
  // Links come last, so that no file is written through a link.
  for (const entry of entries) if (entry.kind === 'link') await symlink(entry.target, join(into, entry.path))
}
