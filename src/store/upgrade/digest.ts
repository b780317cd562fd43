import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const CHUNK = 1_048_576
/** Others get their turn after so many chunks. */
const CHUNKS_AT_ONCE = 16

/**
 * Reads a file as it is on the disk: its length in bytes and its SHA-256. Not for a database that this process has open:
 * closing the file here would give up the locks that SQLite holds on it.
 */
export async function digestFile(
  path: string,
  say: (done: number, of: number) => void = () => undefined,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  const fd = openSync(path, 'r')
  try {
    const { size } = fstatSync(fd)
    const buffer = Buffer.allocUnsafe(CHUNK)
    let bytes = 0
    for (let chunks = 1; ; chunks += 1) {
      const read = readSync(fd, buffer, 0, CHUNK, null)
      if (read === 0) return { bytes, sha256: hash.digest('hex') }
      hash.update(buffer.subarray(0, read))
      bytes += read
      if (chunks % CHUNKS_AT_ONCE !== 0) continue
      say(bytes, size)
      await new Promise(setImmediate)
    }
  } finally {
    closeSync(fd)
  }
}
