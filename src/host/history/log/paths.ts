import { readdirSync } from 'node:fs'
import type { FilePath } from '../../../model/files/history.ts'

/**
 * Names on disk are bytes, paths of Carrel are texts. A byte outside of valid UTF-8 becomes the lone surrogate U+DC00 +
 * byte, so that each name has exactly one text and back.
 */

const ESCAPE = 0xdc00
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function pathBytes(path: FilePath): Buffer {
  if (path.isWellFormed()) return Buffer.from(path, 'utf8')
  const parts: Buffer[] = []
  let from = 0
  for (let at = 0; at < path.length; at++) {
    const unit = path.charCodeAt(at)
    if (!isEscape(path, at, unit)) continue
    parts.push(Buffer.from(path.slice(from, at), 'utf8'), Buffer.from([unit - ESCAPE]))
    from = at + 1
  }
  return Buffer.concat([...parts, Buffer.from(path.slice(from), 'utf8')])
}

/** Whether the unit is a low surrogate for a byte of 128 to 255, without a high one before it. */
function isEscape(path: string, at: number, unit: number): boolean {
  if (unit < ESCAPE + 0x80 || unit > ESCAPE + 0xff) return false
  const before = at === 0 ? 0 : path.charCodeAt(at - 1)
  return before < 0xd800 || before > 0xdbff
}

export function pathOf(bytes: Uint8Array): FilePath {
  const text = decoded(bytes)
  if (text !== null) return text
  let path = ''
  for (let at = 0; at < bytes.length; ) {
    const length = runOfText(bytes, at)
    if (length > 0) path += strict.decode(bytes.subarray(at, at + length))
    else path += String.fromCharCode(ESCAPE + (bytes[at] ?? 0))
    at += Math.max(length, 1)
  }
  return path
}

function decoded(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes)
  } catch {
    return null
  }
}

/** Returns how many bytes from `at` form one character of valid UTF-8; 0 for none. */
function runOfText(bytes: Uint8Array, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    if (decoded(bytes.subarray(at, at + length)) !== null) return length
  }
  return 0
}

/** Compares paths by bytes, the order of the database: sorted within a folder, and folders before their content. */
export const comparePaths = (a: FilePath, b: FilePath): number => Buffer.compare(pathBytes(a), pathBytes(b))

/** Returns the argument that Node's file system calls take for a path inside a place. */
export function diskPath(root: string, path: FilePath): string | Buffer {
  const full = path === '' ? root : `${root}/${path}`
  return path.isWellFormed() ? full : Buffer.concat([Buffer.from(`${root}/`), pathBytes(path)])
}

/** Returns the names in a folder, read as text, which is fast, and again as bytes when one is not valid text. */
export function namesIn(root: string, folder: FilePath): string[] {
  const at = diskPath(root, folder)
  const names = readdirSync(at, 'utf8')
  if (!names.some((name) => name.includes('\ufffd'))) return names
  return readdirSync(at, 'buffer').map(pathOf)
}

export const parentOf = (path: FilePath): FilePath => path.slice(0, Math.max(path.lastIndexOf('/'), 0))

export const nameOf = (path: FilePath): string => path.slice(path.lastIndexOf('/') + 1)

/** Returns the folders above a path, the outermost first. */
export function foldersAbove(path: FilePath): FilePath[] {
  const folders: FilePath[] = []
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) folders.push(path.slice(0, at))
  return folders
}

/** Returns the range of paths below a folder in byte order: `/` is 0x2f, and 0x30 comes next. */
export function rangeBelow(path: FilePath): { readonly from: Buffer; readonly to: Buffer } {
  const bytes = pathBytes(path)
  return { from: Buffer.concat([bytes, Buffer.from('/')]), to: Buffer.concat([bytes, Buffer.from('0')]) }
}
