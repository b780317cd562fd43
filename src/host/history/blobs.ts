import { createHash, hash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { CarrelError } from '../../model/errors.ts'

/** Content that has a name and a place to go: it becomes a row in the transaction of its snapshot, or at once. */
export interface Content {
  readonly digest: Buffer
  readonly size: number
  /** Bytes on the disk. */
  readonly stored: number
  readonly packed: boolean
  /** Null where a file beside the database has it already, synced. */
  readonly data: Uint8Array | null
}

/** Content by its SHA-256, shared by all places: small ones packed in the database, large ones as files beside it. */
export interface Blobs {
  /** Content from memory. A large one is on the disk when this returns. */
  from(bytes: Uint8Array): Content
  /** The content of a file that holds still; null when it does not. @throws what the disk says */
  read(path: string | Buffer, seen: Stats): Content | null
  /** Within a transaction: the row of this content, with one user more. */
  use(content: Content): number
  /** Within a transaction: the row of this content, with no user yet: the second sweep after this may take it. */
  hold(content: Content): void
  /** Within a transaction: one user less. Frees what nobody uses; its file goes with `drop`. */
  release(id: number): number
  /** Takes files away that no row names, after the commit. */
  drop(): void
  bytes(id: number): Buffer | null
  idOf(digest: Uint8Array): number | null
}

/** Over this, content is a file of its own: SQLite is slower with it, and a disk may share its blocks. Bytes. */
const INLINE = 256 * 1024
/** Under this, packing saves less than it costs. Bytes. */
const PACK_FROM = 64
const CHUNK = 1024 * 1024

export const digestOf = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer')

/** Nothing that lstat could see happened to a file between two looks. */
export const sameStats = (a: Stats, b: Stats): boolean =>
  a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.ino === b.ino

export function openBlobs(db: DatabaseSync, folder: string): Blobs {
  const files = blobFiles(folder)
  const find = db.prepare('select id, size, packed, data from blobs where digest = ?')
  const get = db.prepare('select digest, packed, data from blobs where id = ?')
  const more = db.prepare('update blobs set refs = refs + 1 where digest = ? returning id')
  const add = db.prepare('insert into blobs (digest, size, stored, packed, data, refs) values (?, ?, ?, ?, ?, ?)')
  const less = db.prepare(
    'update blobs set refs = refs - 1 where id = ? returning refs, stored, digest, data is null as file',
  )
  const remove = db.prepare('delete from blobs where id = ?')
  const unused: Buffer[] = []
  const isKnown = (digest: Buffer) => find.get(digest) !== undefined

  const from = (bytes: Uint8Array): Content => {
    const digest = digestOf(bytes)
    if (bytes.length > INLINE) {
      if (!isKnown(digest)) files.write(digest, bytes)
      return { digest, size: bytes.length, stored: bytes.length, packed: false, data: null }
    }
    return { digest, size: bytes.length, ...packed(bytes) }
  }
  return {
    from,
    read(path, seen) {
      if (seen.size > INLINE) return files.take(path, seen, isKnown)
      const bytes = steadyBytes(path, seen)
      return bytes && from(bytes)
    },
    use({ digest, size, stored, packed: isPacked, data }) {
      const known = more.get(digest) as { id: number } | undefined
      if (known) return known.id
      return Number(add.run(digest, size, stored, isPacked ? 1 : 0, data, 1).lastInsertRowid)
    },
    hold({ digest, size, stored, packed: isPacked, data }) {
      if (!isKnown(digest)) add.run(digest, size, stored, isPacked ? 1 : 0, data, 0)
    },
    release(id) {
      const left = less.get(id) as { refs: number; stored: number; digest: Uint8Array; file: number } | undefined
      if (!left || left.refs > 0) return 0
      remove.run(id)
      if (left.file) unused.push(Buffer.from(left.digest))
      return left.stored
    },
    drop() {
      for (const digest of unused.splice(0)) if (!isKnown(digest)) files.remove(digest)
    },
    bytes(id) {
      const row = get.get(id) as { digest: Uint8Array; packed: number; data: Uint8Array | null } | undefined
      if (!row) return null
      if (row.data === null) return files.bytes(Buffer.from(row.digest))
      return row.packed ? zstdDecompressSync(row.data) : Buffer.from(row.data)
    },
    idOf: (digest) => (find.get(digest) as { id: number } | undefined)?.id ?? null,
  }
}

function packed(bytes: Uint8Array): Pick<Content, 'stored' | 'packed' | 'data'> {
  if (bytes.length < PACK_FROM) return { stored: bytes.length, packed: false, data: bytes }
  const small = zstdCompressSync(bytes)
  if (small.length >= bytes.length) return { stored: bytes.length, packed: false, data: bytes }
  return { stored: small.length, packed: true, data: small }
}

/** The bytes of a small file that is still what was seen; null when it is not, or changed while it was read. */
function steadyBytes(path: string | Buffer, seen: Stats): Buffer | null {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const bytes = readFileSync(fd)
    return sameStats(seen, fstatSync(fd)) && bytes.length === seen.size ? bytes : null
  } finally {
    closeSync(fd)
  }
}

/** Large content as files `ab/cdef...`: written beside, synced, then named, so that a name can be trusted. */
function blobFiles(folder: string) {
  const part = join(folder, 'part')
  mkdirSync(folder, { recursive: true })
  rmSync(part, { force: true })
  const placeOf = (digest: Buffer) => {
    const name = digest.toString('hex')
    return { folder: join(folder, name.slice(0, 2)), path: join(folder, name.slice(0, 2), name.slice(2)) }
  }
  const name = (digest: Buffer) => {
    const to = placeOf(digest)
    mkdirSync(to.folder, { recursive: true })
    renameSync(part, to.path)
    syncFolder(to.folder)
    syncFolder(folder)
  }
  return {
    write(digest: Buffer, bytes: Uint8Array) {
      const fd = openSync(part, 'w', 0o600)
      try {
        for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
      name(digest)
    },
    take(path: string | Buffer, seen: Stats, isKnown: (digest: Buffer) => boolean): Content | null {
      rmSync(part, { force: true })
      try {
        copyFileSync(path, part, constants.COPYFILE_FICLONE)
        chmodSync(part, 0o600)
        if (!sameStats(seen, lstatSync(path))) return null
        const { digest, size } = sealed(part)
        if (size !== seen.size) return null
        if (!isKnown(digest)) name(digest)
        return { digest, size, stored: size, packed: false, data: null }
      } finally {
        rmSync(part, { force: true })
      }
    },
    bytes(digest: Buffer): Buffer | null {
      try {
        return readFileSync(placeOf(digest).path)
      } catch (error) {
        throw new CarrelError(
          'gone',
          'The content of this file is no longer in the history: its blob is missing.',
          undefined,
          error,
        )
      }
    },
    remove: (digest: Buffer) => rmSync(placeOf(digest).path, { force: true }),
  }
}

/** Reads a copy to its digest and puts it on the disk for good. */
function sealed(path: string): { digest: Buffer; size: number } {
  const fd = openSync(path, 'r+')
  try {
    const sum = createHash('sha256')
    const chunk = Buffer.allocUnsafe(CHUNK)
    let size = 0
    for (let read = readSync(fd, chunk); read > 0; read = readSync(fd, chunk)) {
      sum.update(chunk.subarray(0, read))
      size += read
    }
    fsyncSync(fd)
    return { digest: sum.digest(), size }
  } finally {
    closeSync(fd)
  }
}

function syncFolder(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
