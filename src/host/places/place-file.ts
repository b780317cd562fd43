import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { driverNow } from '../../model/old-names.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import type { PlaceRecord } from './place.ts'

const NAME = 'place.json'

/** Record beside each place, written before the place is made, so that a crash leaves nothing unknown. */
export interface PlaceFile {
  readonly made: boolean
  readonly record: PlaceRecord
}

export async function writePlaceFile(folder: string, file: PlaceFile): Promise<void> {
  const path = join(folder, NAME)
  await writeFile(`${path}.new`, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 })
  await rename(`${path}.new`, path)
}

/** Reads the records of all places below `parent`. @throws for an unreadable file: its base would pass for unused */
export async function readPlaceFiles(parent: string): Promise<{ folder: string; file: PlaceFile }[]> {
  const names = (await absentAsNull(readdir(parent))) ?? []
  const found = await Promise.all(
    names.map(async (name) => {
      const folder = join(parent, name)
      const text = await absentAsNull(readFile(join(folder, NAME), 'utf8'))
      if (text === null) return []
      try {
        return [{ folder, file: parsePlaceFile(text) }]
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
