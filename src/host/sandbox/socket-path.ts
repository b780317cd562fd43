import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Returns the proxy's socket, in a folder of its own that a sandbox mounts. */
export const proxyPath = (folder: string): string =>
  shortSocket(join(folder, 'out', 'proxy'), (name) => join(tmpdir(), `carrel-${name}`, 'proxy'), folder)

/**
 * Returns `inside`, or a path in the temporary folder where that is too long for a socket: some systems allow 104 bytes.
 * @param elsewhere makes the other path of a name that is the same for the same folder
 */
export function shortSocket(inside: string, elsewhere: (name: string) => string, folder: string): string {
  if (Buffer.byteLength(inside) <= 100) return inside
  return elsewhere(createHash('sha256').update(folder).digest('hex').slice(0, 24))
}
