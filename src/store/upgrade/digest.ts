import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const CHUNK = 1_048_576
/** Chunks before other work gets a turn. */
const CHUNKS_AT_ONCE = 16

/**
 * Returns the length in bytes and the SHA-256 of a file. Must not be used for a database that this process has open:
 * closing the file would release SQLite's locks on it.
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
