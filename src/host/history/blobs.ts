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
  /** No record of it is to come: it was known and is in use. */
  letGo(content: Content): void
  /** No record of these is to come, because it failed: files that no row knows go at once, to make room. */
  giveUp(contents: Iterable<Content>): void
  /** Within a transaction: the row of this content, with one user more. Its bytes are those of whoever came first. */
  use(content: Content, place: number): number
  /** Within a transaction: the row of this content, with no user yet: the second sweep after this may take it. */
  hold(content: Content): void
  /** Within a transaction: one user less. What nobody uses is emptied, its file goes with `drop`. Returns the bytes freed. */
  release(id: number): number
  /** Takes files away that no row names, after the commit. */
  drop(): void
  bytes(id: number): Buffer | null
  idOf(digest: Uint8Array): number | null
  isKept(digest: Uint8Array): boolean
  /** Empties what was held up to this row and never used. Returns the newest row: the next sweep may go so far. */
  dropHeld(upTo: number): number
  /** Takes away files that no row knows: a crash came between the file and its row. Returns how many. */
  strays(): number
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

export function openBlobs(db: DatabaseSync, folder: string): Blobs {
  const files = blobFiles(folder)
  const ask = statements(db)
  const unused: Buffer[] = []
  // What was put in place for a record that is still to be written: no sweep may take its file.
  const coming = new Set<Content>()
  const isComing = (digest: Uint8Array) => coming.values().some((content) => content.digest.equals(digest))
  const isKnown = (digest: Uint8Array) => (ask.find.get(digest) as { gone: number } | undefined)?.gone === 0
  const bring = (content: Content, put: () => void): Content => {
    coming.add(content)
    try {
      if (!isKnown(content.digest)) put()
      return content
    } catch (error) {
      coming.delete(content)
      throw error
    }
  }
  const drop = () => {
    for (const digest of unused.splice(0)) if (!isKnown(digest) && !isComing(digest)) files.remove(digest)
  }
  const from = (bytes: Uint8Array): Content => {
    const digest = digestOf(bytes)
    if (bytes.length <= INLINE) return { digest, size: bytes.length, ...packed(bytes) }
    const content = { digest, size: bytes.length, stored: bytes.length, packed: false, data: null }
    return bring(content, () => files.write(digest, bytes))
  }
  const insert = ({ digest, size, stored, packed: isPacked, data }: Content, refs: number) =>
    Number((ask.add.get(digest, size, stored, isPacked ? 1 : 0, data, refs) as { id: number }).id)
  return {
    from,
    read(path, seen) {
      if (seen.size > INLINE) return files.take(path, seen, bring)
      const bytes = steadyBytes(path, seen)
      return bytes && from(bytes)
    },
    letGo: (content) => void coming.delete(content),
    giveUp(contents) {
      for (const content of contents) {
        coming.delete(content)
        if (content.data === null) unused.push(content.digest)
      }
      drop()
    },
    use(content, place) {
      coming.delete(content)
      const known = ask.more.get(content.digest) as { id: number; owner: number | null } | undefined
      const id = known?.id ?? insert(content, 1)
      if (known?.owner == null) ask.own.run(place, id)
      if (known?.owner == null) ask.weigh.run(content.stored, place)
      return id
    },
    hold(content) {
      coming.delete(content)
      if (!isKnown(content.digest)) insert(content, 0)
    },
    release(id) {
      const left = ask.less.get(id) as Left | undefined
      if (!left || left.refs > 0) return 0
      ask.empty.run(id)
      if (left.owner !== null) ask.weigh.run(-left.stored, left.owner)
      if (left.file) unused.push(Buffer.from(left.digest))
      return left.stored
    },
    drop,
    dropHeld(upTo) {
      for (const { id, digest, file } of ask.held.all(upTo) as unknown as HeldRow[]) {
        ask.empty.run(id)
        if (file) unused.push(Buffer.from(digest))
      }
      return Number(ask.last.get()?.id)
    },
    strays: () =>
      files
        .list()
        .filter((digest) => !isKnown(digest) && !isComing(digest))
        .map(files.remove).length,
    bytes(id) {
      const row = ask.get.get(id) as
        | { digest: Uint8Array; packed: number; data: Uint8Array | null; gone: number }
        | undefined
      if (!row || row.gone) return null
      if (row.data === null) return files.bytes(Buffer.from(row.digest))
      return row.packed ? zstdDecompressSync(row.data) : Buffer.from(row.data)
    },
    idOf: (digest) => (ask.find.get(digest) as { id: number } | undefined)?.id ?? null,
    isKept: isKnown,
  }
}

function statements(db: DatabaseSync) {
  return {
    find: db.prepare('select id, gone from blobs where digest = ?'),
    get: db.prepare('select digest, packed, data, gone from blobs where id = ?'),
    more: db.prepare('update blobs set refs = refs + 1 where digest = ? and gone = 0 returning id, owner'),
    // What is gone may come again: its name is there already.
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
      try {
        writeSynced(part, bytes)
        name(digest)
      } finally {
        rmSync(part, { force: true })
      }
    },
    take(path: string | Buffer, seen: Stats, bring: (content: Content, put: () => void) => Content): Content | null {
      rmSync(part, { force: true })
      try {
        copyFileSync(path, part, constants.COPYFILE_FICLONE)
        chmodSync(part, 0o600)
        if (!sameStats(seen, lstatSync(path))) return null
        const { digest, size } = sealed(part)
        if (size !== seen.size) return null
        return bring({ digest, size, stored: size, packed: false, data: null }, () => name(digest))
      } finally {
        rmSync(part, { force: true })
      }
    },
    bytes(digest: Buffer): Buffer {
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
