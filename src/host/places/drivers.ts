import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, lstat, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CarrelError } from '../../model/errors.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { REMOVING, removeFolder } from './removal.ts'
import { mountView, PARTS, type Rights } from './view.ts'

/** Drivers that make views, best first. */
export const DRIVERS = ['overlayfs', 'reflink', 'copy'] as const
type DriverName = (typeof DRIVERS)[number]

export interface Driver {
  readonly name: DriverName
  readonly usable: boolean
  /** Sentence: the driver's effect here, or why it is unusable. */
  readonly detail: string
  /** For `overlayfs`: the rights that a test mount worked with. */
  readonly rights: Rights | null
}

/** Tests every driver below `parent`, which exists. Leaves nothing behind and never throws. */
export async function probeDrivers(parent: string, path: string): Promise<Driver[]> {
  const folder = join(parent, `${REMOVING}try-${randomUUID()}`)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return [await tryOverlay(folder, path), await tryReflink(folder), COPY]
  } catch (thrown) {
    const detail = `${parent} cannot be written: ${reasonOf(thrown)}`
    return DRIVERS.map((name) => ({ name, usable: false, detail, rights: null }))
  } finally {
    await removeFolder(folder).catch(() => undefined)
  }
}

/** Returns the requested driver, or the best. @throws unavailable with the reason (F8) */
export function chooseDriver(drivers: readonly Driver[], asked: string | null): Driver {
  const usable = drivers.filter((driver) => driver.usable)
  const found = asked === null ? usable[0] : drivers.find(({ name }) => name === asked)
  const choice = usable.map(({ name }) => name).join(', ') || 'none'
  if (!found && asked !== null)
    throw new CarrelError('bad_input', `The driver ${asked} does not exist. This machine has: ${choice}.`)
  if (found?.usable) return found
  const why = found?.detail ?? drivers.map(({ detail }) => detail).join(' ')
  const text = `${asked ?? 'A view'} is not available here: ${why} This machine has: ${choice}.`
  throw new CarrelError('unavailable', text)
}

const COPY: Driver = {
  name: 'copy',
  usable: true,
  detail: 'Every view is a full copy of its folder: slow to make, and it needs the same space again.',
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
      const detail = `Each view is an overlayfs ${how}: made in milliseconds.`
      return { name: 'overlayfs', usable: true, detail, rights }
    }
    reasons.push(`${rights === 'own' ? 'mounting' : 'mounting in a user namespace'} failed (${why})`)
  }
  return { name: 'overlayfs', usable: false, detail: `${reasons.join(', and ')}.`, rights: null }
}

/** Makes a view, writes and removes in it, and checks the upper folder. Returns null on success, else the reason. */
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
      const names = (await readdir(join(folder, PARTS.upper))).sort().join()
      return names === 'new,there' && gone.isCharacterDevice() ? null : 'its upper folder does not list the changes'
    } finally {
      await view.close()
    }
  } catch (thrown) {
    return reasonOf(thrown)
  }
}

async function tryReflink(folder: string): Promise<Driver> {
  const name = 'reflink'
  try {
    await writeFile(join(folder, 'a'), 'a')
    await copyFile(join(folder, 'a'), join(folder, 'b'), constants.COPYFILE_FICLONE_FORCE)
    const detail = 'Every view is a copy whose files share disk space until they change.'
    return { name, usable: true, detail, rights: null }
  } catch (thrown) {
    const detail = `This disk cannot share blocks between files (${reasonOf(thrown)}).`
    return { name, usable: false, detail, rights: null }
  }
}

function reasonOf(thrown: unknown): string {
  // Paths of the trial are cut off from a system call's message.
  const text = messageOf(thrown)
  return (thrown as NodeJS.ErrnoException).syscall ? (text.split(',')[0] ?? text) : text
}
