import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { CarrelError } from '../../../model/errors.ts'
import type { Change, FilePath, FileState, Hunk } from '../../../model/files/history.ts'
import { hunksOf } from '../../../model/files/hunks.ts'
import { textOf } from '../../../model/files/merge.ts'
import type { Book } from '../log/book.ts'
import { pathBytes } from '../log/paths.ts'

/** Largest content of a patch. Bytes. */
const MOST = 64 * 1024 * 1024

interface Side {
  readonly mode: string
  readonly bytes: Buffer
}

/**
 * Returns the differences of two snapshots for `git apply`: texts as hunks, other content as git's binary patches.
 * Empty folders and modes other than executable are left out, because git has no form for them.
 * @throws gone with the paths whose content is not kept; too_large
 */
export function patchOf(book: Book, changes: readonly Change[]): string {
  const wanted = changes.flatMap(({ path, before, after }) => steps(path, before, after))
  const missing = wanted.filter(({ before, after }) => !isKept(book, before) || !isKept(book, after))
  if (missing.length > 0) {
    const paths = missing.map(({ path }) => path)
    const message = `The content of ${paths.length} paths is no longer kept, so the patch would be incomplete. Begin at a later snapshot.`
    throw new CarrelError('gone', message, { paths })
  }
  const bytes = wanted.reduce((sum, { before, after }) => sum + (before?.size ?? 0) + (after?.size ?? 0), 0)
  if (bytes > MOST) {
    const text = `This patch would contain ${bytes} bytes of content, more than the limit of ${MOST}.`
    throw new CarrelError('too_large', text)
  }
  return wanted.map(({ path, before, after }) => filePatch(path, sideOf(book, before), sideOf(book, after))).join('')
}

interface Step {
  readonly path: FilePath
  readonly before: FileState | null
  readonly after: FileState | null
}

/** Returns the patch steps of a path. Git knows files and links: a change of kind is a deletion and a creation. */
function steps(path: FilePath, before: FileState | null, after: FileState | null): Step[] {
  const [from, to] = [before?.kind === 'folder' ? null : before, after?.kind === 'folder' ? null : after]
  if (from && to && from.kind !== to.kind) {
    return [
      { path, before: from, after: null },
      { path, before: null, after: to },
    ]
  }
  return from || to ? [{ path, before: from, after: to }] : []
}

const isKept = (book: Book, state: FileState | null): boolean => state === null || book.kept(state)

function sideOf(book: Book, state: FileState | null): Side | null {
  if (!state) return null
  const mode = state.kind === 'link' ? '120000' : (state.mode & 0o100) !== 0 ? '100755' : '100644'
  return { mode, bytes: book.bytes(state) ?? Buffer.alloc(0) }
}

function filePatch(path: FilePath, before: Side | null, after: Side | null): string {
  if (before && after && before.mode === after.mode && before.bytes.equals(after.bytes)) return ''
  const [a, b] = [quoted(`a/${path}`), quoted(`b/${path}`)]
  const head = [`diff --git ${a} ${b}`, ...modeLines(before, after)]
  const [old, young] = [before?.bytes ?? Buffer.alloc(0), after?.bytes ?? Buffer.alloc(0)]
  if (old.equals(young)) return `${head.join('\n')}\n`
  const [from, to] = [textOf(old), textOf(young)]
  if (from === null || to === null) return [...head, ...binaryLines(before, after), ''].join('\n')
  const names = [`--- ${before ? a : '/dev/null'}`, `+++ ${after ? b : '/dev/null'}`]
  return `${[...head, ...names, ...hunksOf(from, to).flatMap(hunkLines)].join('\n')}\n`
}

function modeLines(before: Side | null, after: Side | null): string[] {
  if (!before) return [`new file mode ${after?.mode}`]
  if (!after) return [`deleted file mode ${before.mode}`]
  return before.mode === after.mode ? [] : [`old mode ${before.mode}`, `new mode ${after.mode}`]
}

const hunkLines = ({ oldStart, oldLines, newStart, newLines, lines }: Hunk): string[] => [
  `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
  ...lines,
]

/** Writes both directions, so that the patch can be reverted. Git needs the full object names of both contents. */
function binaryLines(before: Side | null, after: Side | null): string[] {
  const empty = Buffer.alloc(0)
  return [
    `index ${gitName(before)}..${gitName(after)}`,
    'GIT binary patch',
    ...literal(after?.bytes ?? empty),
    ...literal(before?.bytes ?? empty),
  ]
}

const gitName = (side: Side | null): string =>
  side ? createHash('sha1').update(`blob ${side.bytes.length}\0`).update(side.bytes).digest('hex') : '0'.repeat(40)

/** Encodes packed bytes, 52 a line. Each line begins with its length as a letter. */
function literal(bytes: Buffer): string[] {
  const packed = deflateSync(bytes)
  const lines = [`literal ${bytes.length}`]
  for (let at = 0; at < packed.length; at += 52) {
    const part = packed.subarray(at, at + 52)
    const letter = part.length <= 26 ? 64 + part.length : 70 + part.length
    lines.push(String.fromCharCode(letter) + base85(part))
  }
  return [...lines, '']
}

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~'

/** Encodes four bytes, highest first, as five digits. The last group is filled with zeros. */
function base85(bytes: Buffer): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 4) {
    const four = Buffer.alloc(4)
    bytes.copy(four, 0, at, Math.min(at + 4, bytes.length))
    let value = four.readUInt32BE(0)
    const digits: string[] = []
    for (let digit = 0; digit < 5; digit++) {
      digits.unshift(DIGITS.charAt(value % 85))
      value = Math.floor(value / 85)
    }
    text += digits.join('')
  }
  return text
}

/** Quotes a name with bytes that a patch cannot contain; those bytes are in octal. */
function quoted(path: string): string {
  const bytes = pathBytes(path)
  const isPlain = bytes.every((byte) => byte > 0x1f && byte < 0x7f && byte !== 0x22 && byte !== 0x5c)
  if (isPlain) return path
  const escaped = [...bytes].map((byte) => {
    if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`
    return byte > 0x1f && byte < 0x7f ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`
  })
  return `"${escaped.join('')}"`
}
