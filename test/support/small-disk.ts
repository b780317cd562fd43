import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A small disk that a test can fill. A mount needs Linux and root. */
export interface SmallDisk extends Disposable {
  readonly at: string
  /** Fills the disk up to about `leave` free bytes. */
  fill(leave?: number): void
  free(): void
}

export const canMountDisk = process.platform === 'linux' && process.getuid?.() === 0

export function mountSmallDisk(mebibytes: number): SmallDisk {
  const at = mkdtempSync(join(tmpdir(), 'carrel-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', at])
  const [filler, spare] = [join(at, 'filler'), join(at, 'spare')]
  return {
    at,
    fill(leave = 0) {
      if (leave > 0) writeAll(spare, leave)
      writeAll(filler, Number.POSITIVE_INFINITY)
      rmSync(spare, { force: true })
    },
    free: () => rmSync(filler, { force: true }),
    [Symbol.dispose]() {
      execFileSync('umount', ['-l', at])
      rmSync(at, { recursive: true })
    },
  }
}

/** Writes until `bytes` are written, or the disk is full to the last page. */
function writeAll(path: string, bytes: number): void {
  const fd = openSync(path, 'a')
  let left = bytes
  for (let size = 1 << 20; size >= 1 << 9; size >>= 1) {
    try {
      for (; left > 0; left -= size) writeSync(fd, Buffer.alloc(size))
    } catch {
      // The disk has no room for pieces of this size.
    }
  }
  closeSync(fd)
}
