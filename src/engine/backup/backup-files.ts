import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { lstat, mkdir, readdir, readlink, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { BackupEntry } from '../../model/backup.ts'
import { fileTrouble } from '../../model/files/file-trouble.ts'
import type { ReportProgress } from '../../model/upgrade.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'

/** Reports progress until `signal` fires, and throws then: all long work of a backup reports progress. */
export function unlessAborted(say: ReportProgress, signal: AbortSignal | undefined): ReportProgress {
  return (...progress) => {
    signal?.throwIfAborted()
    say(...progress)
  }
}

export async function copyFile(from: string, to: string, mode: number): Promise<{ sha256: string; bytes: number }> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 })
  const hash = createHash('sha256')
  let bytes = 0
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      bytes += chunk.length
      done(null, chunk)
    },
  })
  await pipeline(createReadStream(from), count, createWriteStream(to, { mode, flush: true }))
  return { sha256: hash.digest('hex'), bytes }
}

export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

/** Tells whether nothing or only an empty folder is at `path`. @throws unavailable when it cannot be read */
export async function isFree(path: string): Promise<boolean> {
  try {
    const found = await absentAsNull(stat(path))
    return found === null || (found.isDirectory() && (await readdir(path)).length === 0)
  } catch (thrown) {
    throw fileTrouble(`${path} cannot be read.`, thrown)
  }
}

/** Yields a folder and all entries below it, parents first. Yields nothing without the folder. */
export async function* walk(
  root: string,
  path: string,
): AsyncGenerator<{ path: string; kind: BackupEntry['kind'] | 'other' }> {
  const entries = await absentAsNull(readdir(join(root, path), { withFileTypes: true }))
  if (entries === null) return
  yield { path, kind: 'folder' }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const below = `${path}/${entry.name}`
    if (entry.isDirectory()) yield* walk(root, below)
    else if (entry.isSymbolicLink()) yield { path: below, kind: 'link' }
    else yield { path: below, kind: entry.isFile() ? 'file' : 'other' }
  }
}

export async function copyEntry(
  from: string,
  to: string,
  path: string,
  kind: BackupEntry['kind'],
): Promise<BackupEntry> {
  if (kind === 'folder') {
    await mkdir(join(to, path), { recursive: true, mode: 0o700 })
    return { kind, path }
  }
  // Only the manifest holds links, so that nothing in a backup points outside of it.
  if (kind === 'link') return { kind, path, target: await readlink(join(from, path)) }
  const mode = (await lstat(join(from, path))).mode & 0o777
  return { kind, path, mode, ...(await copyFile(join(from, path), join(to, path), 0o600)) }
}
