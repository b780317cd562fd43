import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'

/**
 * Texts that are read without anybody having asked for them, in folders where anybody may have put anything: a pipe
 * would be waited for without end, a device has no end.
 */
const AT_ONCE = constants.O_RDONLY | constants.O_NONBLOCK
/** Bytes. More than any such file has. */
const MOST = 1 << 20

/** @throws where there is no regular file of at most 1 MiB at the path, or behind the link there */
export async function readSmallFile(path: string): Promise<string> {
  const file = await open(path, AT_ONCE)
  try {
    check(path, await file.stat())
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

/** The same at once, and never through a link. */
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
  if (!stats.isFile() || stats.size > MOST) throw new Error(`${path} is no file, or larger than 1 MiB.`)
}
