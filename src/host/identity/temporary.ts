import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Longest temporary folder path: sockets have 107 bytes, of which Chromium needs 45 for its own part. */
const LONGEST = 60

/** Returns an agent's temporary folder: unguessable, the same after a restart, in the machine's own for a deep path. */
export function temporaryOf(keepers: string, keeper: string): string {
  const inside = join(dirname(keepers), 'tmp', keeper)
  if (Buffer.byteLength(inside) <= LONGEST) return inside
  return join(tmpdir(), `carrel-${createHash('sha256').update(inside).digest('hex').slice(0, 24)}`)
}

/** Makes a private folder and returns the variables by which programs find it. */
export async function makeTemporary(path: string): Promise<Readonly<Record<string, string>>> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  return temporaryVariables(path)
}

export const temporaryVariables = (path: string) => ({ TMPDIR: path, TMP: path, TEMP: path })
