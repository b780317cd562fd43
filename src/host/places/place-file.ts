import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { driverNow } from '../../model/old-names.ts'
import type { PlaceRecord } from './place.ts'

const NAME = 'place.json'

/** What stands beside each place: written before anything is made, so that a crash leaves nothing nobody knows of. */
export interface PlaceFile {
  readonly made: boolean
  readonly record: PlaceRecord
}

export async function writePlaceFile(folder: string, file: PlaceFile): Promise<void> {
  const path = join(folder, NAME)
  await writeFile(`${path}.new`, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 })
  await rename(`${path}.new`, path)
}

/** All places below `parent`, with their folders. */
export async function readPlaceFiles(parent: string): Promise<{ folder: string; file: PlaceFile }[]> {
  const names = await readdir(parent).catch(() => [])
  const found = await Promise.all(
    names.map(async (name) => {
      const folder = join(parent, name)
      try {
        return [{ folder, file: parsePlaceFile(await readFile(join(folder, NAME), 'utf8')) }]
      } catch {
        return []
      }
    }),
  )
  return found.flat()
}

/** Drivers of files that an earlier Carrel wrote have their names of today. */
function parsePlaceFile(text: string): PlaceFile {
  const { made, record } = JSON.parse(text) as PlaceFile
  return { made, record: { ...record, driver: driverNow(record.driver) } }
}

export async function removePlaceFile(folder: string): Promise<void> {
  await rm(join(folder, NAME), { force: true })
}
