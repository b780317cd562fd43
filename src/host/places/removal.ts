import { randomUUID } from 'node:crypto'
import { chmod, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { absentAsNull, isAbsent } from '../../primitives/absent-as-null.ts'

/** Folders that are on their way out begin with this; a crash leaves them for the next start to clear. */
export const GOING = '.going-'

/**
 * Removes a folder of Carrel's own with all that is in it, also below folders that may not be written: overlayfs
 * leaves such ones behind, and agents make them. It has another name from the first moment on, so that nobody takes half
 * of it for the whole. Safe to repeat.
 */
export async function removeFolder(folder: string): Promise<void> {
  const going = join(dirname(folder), `${GOING}${randomUUID()}`)
  try {
    await rename(folder, going)
  } catch (cause) {
    if (isAbsent(cause)) return
    throw cause
  }
  await clear(going)
}

/** Clears what an earlier life had begun to remove. */
export async function clearGoing(parent: string): Promise<void> {
  const names = (await absentAsNull(readdir(parent))) ?? []
  for (const name of names) if (name.startsWith(GOING)) await clear(join(parent, name))
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

/** What the first attempt still takes away meanwhile need not be unlocked. */
async function unlock(folder: string): Promise<void> {
  try {
    await chmod(folder, 0o700)
    for (const entry of await readdir(folder, { withFileTypes: true }))
      if (entry.isDirectory()) await unlock(join(folder, entry.name))
  } catch (cause) {
    if (!isAbsent(cause)) throw cause
  }
}
