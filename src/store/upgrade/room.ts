import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { UpgradeRoom } from '../../model/upgrade.ts'

/** Returns the free space on the file system of a folder, which may not exist yet. */
export function roomAt(folder: string, neededBytes: number): UpgradeRoom & { readonly device: number } {
  const where = nearest(folder)
  const { bavail, bsize } = statfsSync(where)
  return { where, neededBytes: Math.ceil(neededBytes), freeBytes: bavail * bsize, device: statSync(where).dev }
}

function nearest(folder: string): string {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return folder
  const above = dirname(folder)
  return above === folder ? folder : nearest(above)
}
