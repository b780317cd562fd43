import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { UpgradeRoom } from '../../model/upgrade.ts'

/** The room on the file system that a folder is on, or would be on when it is made. */
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
