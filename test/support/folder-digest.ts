import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Path -> digest of each file below a folder, and each folder: two of them are equal when nothing was changed. */
export function folderDigest(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return Object.fromEntries(
    entries
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path, _, all) => [path, all.some((other) => other.startsWith(`${path}/`)) ? 'folder' : digestOf(path)]),
  )
}

function digestOf(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex')
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
  }
}
