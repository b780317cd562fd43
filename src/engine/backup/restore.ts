import { chmod, mkdir, readFile, rename, rm, rmdir, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { BackupManifest, staysInside } from '../../model/backup.ts'
import { CarrelError } from '../../model/errors.ts'
import { fileTrouble } from '../../model/file-trouble.ts'
import { absentAsNull, isAbsent } from '../../primitives/absent-as-null.ts'
import { bestEffort } from '../../primitives/best-effort.ts'
import { checkDatabase, KNOWN_SCHEMA, moveBlankSpaces, tooNew } from '../../store/sqlite/sqlite-copy.ts'
import { MANIFEST, type Progress } from './backup.ts'
import { copyFile, isFree } from './backup-files.ts'

/**
 * Makes a data folder from a backup. Every file is compared with its digest on its way; the folder has its name when
 * all of them are in it.
 * @throws bad_input when the folder is not empty or the backup is none, unavailable when it is damaged or too new
 */
export async function restoreBackup(backup: string, dataFolder: string, say: Progress): Promise<BackupManifest> {
  const from = resolve(backup)
  const to = resolve(dataFolder)
  const manifest = await readManifest(from)
  if (manifest.schema !== null && manifest.schema > KNOWN_SCHEMA) throw tooNew(manifest.schema)
  if (!(await isFree(to)))
    throw new CarrelError(
      'bad_input',
      `${to} is not empty. A backup is restored into a folder of its own: name another one with --data.`,
    )
  const into = `${to}.part`
  try {
    await rm(into, { recursive: true, force: true })
    await mkdir(into, { recursive: true, mode: 0o700 })
    await copyAll(from, into, manifest, say)
    if (manifest.schema !== null) {
      await checkDatabase(join(into, 'carrel.db'))
      await moveBlankSpaces(join(into, 'carrel.db'), manifest.dataFolder, to)
    }
    await absentAsNull(rmdir(to))
    await rename(into, to)
    return manifest
  } catch (thrown) {
    await bestEffort(rm(into, { recursive: true, force: true }))
    throw fileTrouble(`${from} could not be restored, and nothing was changed.`, thrown)
  }
}

async function readManifest(from: string): Promise<BackupManifest> {
  const none = (cause: unknown) =>
    new CarrelError(
      'bad_input',
      `${from} is no backup of Carrel: ${MANIFEST} is missing in it or cannot be read. \`carrel backup\` makes one.`,
      undefined,
      cause,
    )
  const text = await readFile(join(from, MANIFEST), 'utf8').catch((cause) => {
    throw none(cause)
  })
  try {
    const manifest = BackupManifest.parse(JSON.parse(text))
    if (manifest.entries.every(({ path }) => staysInside(path))) return manifest
  } catch (cause) {
    throw none(cause)
  }
  throw none(undefined)
}

async function copyAll(from: string, into: string, { entries }: BackupManifest, say: Progress): Promise<void> {
  for (const [index, entry] of entries.entries()) {
    if (index % 100 === 0) say('restoring', index, entries.length)
    const path = join(into, entry.path)
    if (entry.kind === 'folder') await mkdir(path, { recursive: true, mode: 0o700 })
    if (entry.kind !== 'file') continue
    const { sha256 } = await copyFile(join(from, entry.path), path, 0o600).catch((cause) => {
      if (!isAbsent(cause)) throw cause
      throw new CarrelError('unavailable', `${entry.path} is missing in the backup. Take another one.`)
    })
    if (sha256 !== entry.sha256)
      throw new CarrelError(
        'unavailable',
        `${entry.path} in the backup is damaged: its digest is another one. Take another backup.`,
      )
    await chmod(path, entry.mode)
  }
  // Links come last, so that no file is written through one.
  for (const entry of entries) if (entry.kind === 'link') await symlink(entry.target, join(into, entry.path))
}
