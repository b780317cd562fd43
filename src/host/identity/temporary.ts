import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Addresses of sockets have 107 bytes, and programs make them here: Chromium ends at once where it has less than 45 for its own. */
const LONGEST = 60

/**
 * The temporary folder of an agent's process: below the data folder, or in the machine's own where that lies too deep. Nobody can
 * guess its name, since nobody can guess a keeper's. The same for a keeper after a restart of the server.
 */
export function temporaryOf(keepers: string, keeper: string): string {
  const inside = join(dirname(keepers), 'tmp', keeper)
  if (Buffer.byteLength(inside) <= LONGEST) return inside
  return join(tmpdir(), `carrel-${createHash('sha256').update(inside).digest('hex').slice(0, 24)}`)
}

/** For its owner only. Gives the variables by which programs find it. */
export async function makeTemporary(path: string): Promise<Readonly<Record<string, string>>> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  return temporaryVariables(path)
}

export const temporaryVariables = (path: string) => ({ TMPDIR: path, TMP: path, TEMP: path })
