import { randomUUID } from 'node:crypto'
import { chmod, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { absentAsNull, isAbsent } from '../../primitives/absent-as-null.ts'

/** Prefix of folders that are being removed. After a crash the next start clears them. */
export const REMOVING = '.going-'

/** Removes a folder of Carrel, also below unwritable folders. Renamed first: no partial one is used. Safe to repeat. */
export async function removeFolder(folder: string): Promise<void> {
  const removing = join(dirname(folder), `${REMOVING}${randomUUID()}`)
  try {
    await rename(folder, removing)
  } catch (cause) {
    if (isAbsent(cause)) return
    throw cause
  }
  await clear(removing)
}

/** Clears removals that a crash interrupted. */
export async function clearRemovals(parent: string): Promise<void> {
  const names = (await absentAsNull(readdir(parent))) ?? []
  for (const name of names) if (name.startsWith(REMOVING)) await clear(join(parent, name))
}

async function clear(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true })
  } catch (cause) {
    if (!['EACCES', 'EPERM', 'ENOTEMPTY'].includes(String((cause as NodeJS.ErrnoException).code))) throw cause
    await unlock(folder)
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Makes folders writable. Entries that the first attempt removes meanwhile are skipped. */
async function unlock(folder: string): Promise<void> {
  try {
    await chmod(folder, 0o700)
    for (const entry of await readdir(folder, { withFileTypes: true }))
      if (entry.isDirectory()) await unlock(join(folder, entry.name))
  } catch (cause) {
    if (!isAbsent(cause)) throw cause
  }
}
