import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'

/** Flags for reading unrequested files in untrusted folders: opening a pipe must not block. */
const AT_ONCE = constants.O_RDONLY | constants.O_NONBLOCK
/** Largest size, more than any such file has. Bytes. */
const MOST = 1 << 20

/** Reads a text file, also through a link. @throws unless it is a regular file of at most 1 MiB */
export async function readSmallFile(path: string): Promise<string> {
  const file = await open(path, AT_ONCE)
  try {
    check(path, await file.stat())
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

/** Reads a text file synchronously, and never through a link. */
export function readSmallFileSync(path: string | Buffer): string {
  const fd = openSync(path, AT_ONCE | constants.O_NOFOLLOW)
  try {
    check(path, fstatSync(fd))
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

function check(path: string | Buffer, stats: { isFile(): boolean; readonly size: number }): void {
  if (!stats.isFile() || stats.size > MOST) throw new Error(`${path} is not a file, or larger than 1 MiB.`)
}
