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
  readdirSync,
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
import { CarrelError } from '../../../model/errors.ts'

/** Content with its digest, ready to become a row: in the transaction of its snapshot, or at once. */
export interface Content {
  readonly digest: Buffer
  readonly size: number
  /** Bytes on disk. */
  readonly stored: number
  readonly packed: boolean
  /** Null when a file beside the database has the content already, synced. */
  readonly data: Uint8Array | null
}

/** Content by its SHA-256, shared by all places: small content in the database, large content in files. */
export type Blobs = ReturnType<typeof openBlobs>

/** Larger content goes into a file of its own: SQLite is slower with it, and a disk may share its blocks. Bytes. */
const INLINE = 256 * 1024
/** Packing smaller content costs more than it saves. Bytes. */
const PACK_FROM = 64
const CHUNK = 1024 * 1024

export const digestOf = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer')

/** Whether lstat shows no change of a file between two scans. */
export const sameStats = (a: Stats, b: Stats): boolean =>
  a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.ino === b.ino

interface HeldRow {
  readonly id: number
  readonly digest: Uint8Array
  readonly file: number
}
interface Left {
  readonly refs: number
  readonly stored: number
  readonly digest: Uint8Array
  readonly owner: number | null
  readonly file: number
}

interface BlobStore {
  readonly files: ReturnType<typeof blobFiles>
  readonly sql: ReturnType<typeof statements>
  /** Digests whose files may have no row any more. */
  readonly unused: Buffer[]
  /** Content stored for a record that is still to be written: no sweep may take its file. */
  readonly pending: Set<Content>
}

export function openBlobs(db: DatabaseSync, folder: string) {
  const store: BlobStore = { files: blobFiles(folder), sql: statements(db), unused: [], pending: new Set() }
  const { files, sql, unused, pending } = store
  return {
    /** Takes content from memory. Large content is on disk when this returns. */
    from: (bytes: Uint8Array): Content => contentOf(store, bytes),
    /** Reads the content of a file; null when the file changes meanwhile. @throws the error of the file system */
    read(path: string | Buffer, seen: Stats): Content | null {
      if (seen.size > INLINE) return files.take(path, seen, (content, put) => putPending(store, content, put))
      const bytes = steadyBytes(path, seen)
      return bytes && contentOf(store, bytes)
    },
    /** Drops content that will not be recorded, because it is known and in use. */
    letGo: (content: Content): void => void pending.delete(content),
    /** Drops content whose record failed. Files without a row are deleted at once, to free space. */
    giveUp(contents: Iterable<Content>): void {
      for (const content of contents) {
        pending.delete(content)
        if (content.data === null) unused.push(content.digest)
      }
      dropUnused(store)
    },
    /** Adds a user and returns the row's id. The first user owns the bytes. Call within a transaction. */
    use: (content: Content, place: number): number => use(store, content, place),
    /** Adds a row without a user: the second sweep after this may remove it. Call within a transaction. */
    hold(content: Content): void {
      pending.delete(content)
      if (!isKnown(store, content.digest)) insert(store, content, 0)
    },
    /** Removes a user, and empties unused content; `drop` deletes its file. Returns freed bytes. In a transaction. */
    release: (id: number): number => release(store, id),
    /** Deletes files that no row names, after the commit. */
    drop: (): void => dropUnused(store),
    /** Empties content up to this row that was held and never used. Returns the newest row: the next limit. */
    dropHeld(upTo: number): number {
      for (const { id, digest, file } of sql.held.all(upTo) as unknown as HeldRow[]) {
        sql.empty.run(id)
        if (file) unused.push(Buffer.from(digest))
      }
      return Number(sql.last.get()?.id)
    },
    /** Deletes files without a row, left by a crash between file and row. Returns their number. */
    strays: (): number =>
      files
        .list()
        .filter((digest) => !isKnown(store, digest) && !isPending(store, digest))
        .map(files.remove).length,
    bytes: (id: number): Buffer | null => bytesOf(store, id),
    idOf: (digest: Uint8Array): number | null => (sql.find.get(digest) as { id: number } | undefined)?.id ?? null,
    isKept: (digest: Uint8Array): boolean => isKnown(store, digest),
  }
}

const isPending = ({ pending }: BlobStore, digest: Uint8Array): boolean =>
  pending.values().some((content) => content.digest.equals(digest))

const isKnown = ({ sql }: BlobStore, digest: Uint8Array): boolean =>
  (sql.find.get(digest) as { gone: number } | undefined)?.gone === 0

function contentOf(store: BlobStore, bytes: Uint8Array): Content {
  const digest = digestOf(bytes)
  if (bytes.length <= INLINE) return { digest, size: bytes.length, ...packed(bytes) }
  const content = { digest, size: bytes.length, stored: bytes.length, packed: false, data: null }
  return putPending(store, content, () => store.files.write(digest, bytes))
}

function putPending(store: BlobStore, content: Content, put: () => void): Content {
  store.pending.add(content)
  try {
    if (!isKnown(store, content.digest)) put()
    return content
  } catch (error) {
    store.pending.delete(content)
    throw error
  }
}

function dropUnused(store: BlobStore): void {
  for (const digest of store.unused.splice(0))
    if (!isKnown(store, digest) && !isPending(store, digest)) store.files.remove(digest)
}

const insert = ({ sql }: BlobStore, { digest, size, stored, packed: isPacked, data }: Content, refs: number): number =>
  Number((sql.add.get(digest, size, stored, isPacked ? 1 : 0, data, refs) as { id: number }).id)

function use(store: BlobStore, content: Content, place: number): number {
  const { sql, pending } = store
  pending.delete(content)
  const known = sql.more.get(content.digest) as { id: number; owner: number | null } | undefined
  const id = known?.id ?? insert(store, content, 1)
  if (known?.owner == null) {
    sql.own.run(place, id)
    sql.weigh.run(content.stored, place)
  }
  return id
}

function release({ sql, unused }: BlobStore, id: number): number {
  const left = sql.less.get(id) as Left | undefined
  if (!left || left.refs > 0) return 0
  sql.empty.run(id)
  if (left.owner !== null) sql.weigh.run(-left.stored, left.owner)
  if (left.file) unused.push(Buffer.from(left.digest))
  return left.stored
}

function bytesOf({ files, sql }: BlobStore, id: number): Buffer | null {
  const row = sql.get.get(id) as
    | { digest: Uint8Array; packed: number; data: Uint8Array | null; gone: number }
    | undefined
  if (!row || row.gone) return null
  if (row.data === null) return files.bytes(Buffer.from(row.digest))
  return row.packed ? zstdDecompressSync(row.data) : Buffer.from(row.data)
}

function statements(db: DatabaseSync) {
  return {
    find: db.prepare('select id, gone from blobs where digest = ?'),
    get: db.prepare('select digest, packed, data, gone from blobs where id = ?'),
    more: db.prepare('update blobs set refs = refs + 1 where digest = ? and gone = 0 returning id, owner'),
    // Content that is gone may come again: its digest has a row already.
    add: db.prepare(
      `insert into blobs (digest, size, stored, packed, data, refs) values (?, ?, ?, ?, ?, ?) on conflict (digest) do update
       set stored = excluded.stored, packed = excluded.packed, data = excluded.data, refs = excluded.refs, gone = 0, owner = null
       returning id`,
    ),
    own: db.prepare('update blobs set owner = ? where id = ?'),
    weigh: db.prepare('update places set bytes = bytes + ? where id = ?'),
    less: db.prepare(
      `update blobs set refs = refs - 1 where id = ? and gone = 0
       returning refs, stored, digest, owner, data is null as file`,
    ),
    held: db.prepare('select id, digest, data is null as file from blobs where refs = 0 and gone = 0 and id <= ?'),
    last: db.prepare('select coalesce(max(id), 0) as id from blobs'),
    empty: db.prepare('update blobs set data = null, stored = 0, owner = null, gone = 1 where id = ?'),
  }
}

function packed(bytes: Uint8Array): Pick<Content, 'stored' | 'packed' | 'data'> {
  if (bytes.length < PACK_FROM) return { stored: bytes.length, packed: false, data: bytes }
  const small = zstdCompressSync(bytes)
  if (small.length >= bytes.length) return { stored: bytes.length, packed: false, data: bytes }
  return { stored: small.length, packed: true, data: small }
}

/** Returns the bytes of a small file; null when it changed before or during the read. */
function steadyBytes(path: string | Buffer, seen: Stats): Buffer | null {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const bytes = readFileSync(fd)
    return sameStats(seen, fstatSync(fd)) && bytes.length === seen.size ? bytes : null
  } finally {
    closeSync(fd)
  }
}

/** Files `ab/cdef...` of large content: synced, then renamed, so a name guarantees whole content. */
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
      try {
        writeSynced(part, bytes)
        name(digest)
      } finally {
        rmSync(part, { force: true })
      }
    },
    take(
      path: string | Buffer,
      seen: Stats,
      putPending: (content: Content, put: () => void) => Content,
    ): Content | null {
      rmSync(part, { force: true })
      try {
        copyFileSync(path, part, constants.COPYFILE_FICLONE)
        chmodSync(part, 0o600)
        if (!sameStats(seen, lstatSync(path))) return null
        const { digest, size } = sealed(part)
        if (size !== seen.size) return null
        return putPending({ digest, size, stored: size, packed: false, data: null }, () => name(digest))
      } finally {
        rmSync(part, { force: true })
      }
    },
    bytes(digest: Buffer): Buffer {
      try {
        return readFileSync(placeOf(digest).path)
      } catch (error) {
        const text = 'The content of this file is no longer in the history: its blob is missing.'
        throw new CarrelError('gone', text, undefined, error)
      }
    },
    remove: (digest: Buffer) => rmSync(placeOf(digest).path, { force: true }),
    list: (): Buffer[] =>
      readdirSync(folder)
        .filter((name) => /^[0-9a-f]{2}$/.test(name))
        .flatMap((start) => readdirSync(join(folder, start)).map((rest) => Buffer.from(start + rest, 'hex'))),
  }
}

function writeSynced(path: string, bytes: Uint8Array): void {
  const fd = openSync(path, 'w', 0o600)
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Computes the digest of a copy and syncs it to disk. */
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
