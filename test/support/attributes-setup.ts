import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attributesAt, setAttributes } from '../../src/host/attributes.ts'

export const isRoot = process.getuid?.() === 0

/** An owner that is not the person who runs the tests, where they may give files away. */
export const OWNER = isRoot
  ? { uid: 1_000, gid: 1_001 }
  : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

/** An access control list as Linux stores it: user 1002 may read. Each entry has a tag, rights and an id. */
export const ACCESS = Buffer.concat([
  Buffer.from([2, 0, 0, 0]),
  ...(
    [
      [1, 7, 0xffffffff],
      [2, 4, 1_002],
      [4, 5, 0xffffffff],
      [16, 5, 0xffffffff],
      [32, 5, 0xffffffff],
    ] as const
  ).map(([tag, rights, id]) => {
    const entry = Buffer.alloc(8)
    entry.writeUInt16LE(tag, 0)
    entry.writeUInt16LE(rights, 2)
    entry.writeUInt32LE(id, 4)
    return entry
  }),
]).toString('base64')

/** Gives a path another owner, an access control list and a `user.` attribute. Returns what could not be given. */
export const richly = (path: string) =>
  setAttributes(path, { ...OWNER, extended: { 'user.note': 'a2VlcA==', 'system.posix_acl_access': ACCESS } })

/** Whether the disk of the tests has extended attributes. */
export const RICH = ((): boolean => {
  if (process.platform !== 'linux') return false
  const folder = mkdtempSync(join(tmpdir(), 'carrel-rich-'))
  try {
    const path = join(folder, 'a')
    writeFileSync(path, '')
    return richly(path).length === 0 && 'user.note' in attributesAt(path).extended
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})()
