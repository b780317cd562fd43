import { realpath, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BindingNote, type FolderIdentity } from '../../model/binding.ts'
import { CarrelError } from '../../model/errors.ts'
import { fileTrouble } from '../../model/files/file-trouble.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import { parseJson } from '../../primitives/json.ts'
import { readSmallFile } from '../small-file.ts'

/** Name of the note in a data folder. A backup does not contain it. */
const BINDING = 'binding.json'
/** Files with the id of a Linux machine. Containers often have none. */
const MACHINE_IDS = ['/etc/machine-id', '/var/lib/dbus/machine-id']

/** Returns the id of this machine; null where it has none. */
export async function machineId(): Promise<string | null> {
  for (const path of MACHINE_IDS) {
    const id = await absentAsNull(readSmallFile(path)).catch((thrown) => {
      throw fileTrouble(`${path} cannot be read.`, thrown)
    })
    // Until the end of a first boot, the file has a word instead of an id.
    if (id && /^[0-9a-f]{32}$/.test(id.trim())) return id.trim()
  }
  return null
}

/** Returns the identity of a folder on this machine. @throws unavailable when it cannot be read */
export async function identityOf(folder: string, machine: string | null): Promise<FolderIdentity> {
  try {
    const path = await realpath(folder)
    const { dev, ino, birthtimeNs, ctimeNs } = await stat(path, { bigint: true })
    // Node puts the time of the last change, or 0, in the place of an unknown time of creation.
    const born = birthtimeNs === 0n || birthtimeNs === ctimeNs ? null : String(birthtimeNs)
    return { path, machine, device: String(dev), inode: String(ino), born }
  } catch (thrown) {
    throw fileTrouble(`The data folder ${folder} cannot be read.`, thrown)
  }
}

/** Reads the note of a data folder; null without one. @throws unavailable for an unreadable or damaged note */
export async function readBinding(folder: string): Promise<BindingNote | null> {
  const path = join(folder, BINDING)
  const text = await absentAsNull(readSmallFile(path)).catch((thrown) => {
    throw fileTrouble(`${path} cannot be read.`, thrown)
  })
  if (text === null) return null
  const { data } = BindingNote.safeParse(parseJson(text))
  if (data) return data
  const message = `${path} is damaged or from a newer Carrel. If this data folder is no copy of another one, remove the file.`
  throw new CarrelError('unavailable', message)
}

/** Replaces the note of a data folder in one step. @throws unavailable when it cannot be written */
export async function writeBinding(folder: string, note: BindingNote): Promise<void> {
  const path = join(folder, BINDING)
  try {
    await writeFile(`${path}.new`, `${JSON.stringify(note)}\n`, { mode: 0o600, flush: true })
    await rename(`${path}.new`, path)
  } catch (thrown) {
    throw fileTrouble(`${path} cannot be written.`, thrown)
  }
}
