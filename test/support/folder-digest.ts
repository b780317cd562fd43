import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Returns path -> digest of each file and folder below a folder. Two results are equal only if nothing changed. */
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
