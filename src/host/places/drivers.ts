import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, lstat, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CarrelError } from '../../model/errors.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { GOING, removeFolder } from './removal.ts'
import { mountView, PARTS, type Rights } from './view.ts'

/** The ways to make a view, best first. */
export const DRIVERS = ['overlayfs', 'reflink', 'copy'] as const
export type DriverName = (typeof DRIVERS)[number]

export interface Driver {
  readonly name: DriverName
  readonly usable: boolean
  /** A sentence: what it does here, or why it cannot. */
  readonly detail: string
  /** `overlayfs`: what it was found to work with. */
  readonly rights: Rights | null
}

/** Tries every driver for real below `parent`, which is there. Leaves nothing behind, and never throws. */
export async function probeDrivers(parent: string, path: string): Promise<Driver[]> {
  const folder = join(parent, `${GOING}try-${randomUUID()}`)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return [await tryOverlay(folder, path), await tryReflink(folder), COPY]
  } catch (thrown) {
    const detail = `${parent} cannot be written: ${saidBy(thrown)}`
    return DRIVERS.map((name) => ({ name, usable: false, detail, rights: null }))
  } finally {
    await removeFolder(folder).catch(() => undefined)
  }
}

/** The driver that was asked for, or the best. @throws unavailable with the reason (F8) */
export function chooseDriver(drivers: readonly Driver[], asked: string | null): Driver {
  const usable = drivers.filter((driver) => driver.usable)
  const found = asked === null ? usable[0] : drivers.find(({ name }) => name === asked)
  const choice = usable.map(({ name }) => name).join(', ') || 'none'
  if (!found && asked !== null) {
    throw new CarrelError('bad_input', `There is no driver ${asked}. This machine has: ${choice}.`)
  }
  if (found?.usable) return found
  const why = found?.detail ?? drivers.map(({ detail }) => detail).join(' ')
  throw new CarrelError(
    'unavailable',
    `${asked ?? 'A view'} is not to be had here: ${why} This machine has: ${choice}.`,
  )
}

const COPY: Driver = {
  name: 'copy',
  usable: true,
  detail: 'Every view is a full copy of its folder: slow to make, and it takes as much room again.',
  rights: null,
}

async function tryOverlay(folder: string, path: string): Promise<Driver> {
  if (process.platform !== 'linux')
    return { name: 'overlayfs', usable: false, detail: 'overlayfs is part of Linux.', rights: null }
  const reasons: string[] = []
  for (const rights of ['own', 'user namespace'] as const) {
    const why = await tryView(join(folder, rights.replace(' ', '-')), path, rights)
    if (why === null) {
      const how = rights === 'own' ? 'in a mount namespace of its own' : 'in a user and mount namespace of its own'
      return {
        name: 'overlayfs',
        usable: true,
        detail: `Each view is an overlayfs ${how}: made in milliseconds.`,
        rights,
      }
    }
    reasons.push(`${rights === 'own' ? 'mounting' : 'mounting in a user namespace'} failed (${why})`)
  }
  return { name: 'overlayfs', usable: false, detail: `${reasons.join(', and ')}.`, rights: null }
}

/** Makes a view, writes and removes in it, and looks whether the upper folder says so. Null when all is well. */
async function tryView(folder: string, path: string, rights: Rights): Promise<string | null> {
  const lower = join(folder, 'lower')
  for (const part of [...Object.values(PARTS), 'lower']) await mkdir(join(folder, part), { recursive: true })
  await writeFile(join(lower, 'there'), 'there')
  try {
    const view = await mountView({ folder, name: 'view', lower, rights, path })
    try {
      await writeFile(join(view.root, 'new'), 'new')
      await rm(join(view.root, 'there'))
      const gone = await lstat(join(folder, PARTS.upper, 'there'))
      const said = (await readdir(join(folder, PARTS.upper))).sort().join()
      return said === 'new,there' && gone.isCharacterDevice() ? null : 'its upper folder does not tell what changed'
    } finally {
      await view.close()
    }
  } catch (thrown) {
    return saidBy(thrown)
  }
}

async function tryReflink(folder: string): Promise<Driver> {
  const name = 'reflink'
  try {
    await writeFile(join(folder, 'a'), 'a')
    await copyFile(join(folder, 'a'), join(folder, 'b'), constants.COPYFILE_FICLONE_FORCE)
    const detail = 'Every view is a copy whose files share their room until they are changed.'
    return { name, usable: true, detail, rights: null }
  } catch (thrown) {
    const detail = `This disk cannot share the room of two files (${saidBy(thrown)}).`
    return { name, usable: false, detail, rights: null }
  }
}

function saidBy(thrown: unknown): string {
  // Of a call that failed: without its paths, which are of the trial only.
  const text = messageOf(thrown)
  return (thrown as NodeJS.ErrnoException).syscall ? (text.split(',')[0] ?? text) : text
}
