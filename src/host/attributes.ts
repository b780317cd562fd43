import { lchownSync, lstatSync, type Stats, statSync } from 'node:fs'
import { messageOf } from '../primitives/message-of.ts'

/**
 * Owner, group and extended attributes of a file or folder: all that a replacement by rename would lose, besides the
 * content and the permission bits. Plain JSON.
 */
export interface Attributes {
  readonly uid: number
  readonly gid: number
  /** Values by name, in base64. */
  readonly extended: Readonly<Record<string, string>>
}

/** Attribute that could not be kept: only root may give a file away, and some disks have no attributes. */
export type LostAttribute = 'owner' | 'group' | 'access control list' | 'extended attributes'

// A platform without a build has no extended attributes here: owner and group are kept all the same.
const xattr = await import('@napi-rs/xattr').then((module) => module.default).catch(() => null)

/** Access control lists of Linux are extended attributes with these names. */
const ACCESS_LISTS = /^system\.posix_acl_(access|default)$/

/**
 * The attributes that Carrel keeps. `security.*` grants something to one content, so it must not stay with
 * another one; `trusted.*` belongs to the system.
 */
const isKept = (name: string): boolean =>
  process.platform === 'linux'
    ? name.startsWith('user.') || ACCESS_LISTS.test(name)
    : !/^(security|trusted)\./.test(name)

/** Returns the attributes of an existing file or folder. A link has an owner and a group only. */
export function attributesAt(spot: string | Buffer, stats: Stats = lstatSync(spot)): Attributes {
  const { uid, gid } = stats
  return { uid, gid, extended: stats.isSymbolicLink() ? {} : extendedAt(spot) }
}

/** Whether a path has another owner or group than `owner`, or extended attributes. Cheap, for scans. */
export const hasOwnAttributes = (
  spot: string | Buffer,
  stats: Stats,
  owner: Pick<Attributes, 'uid' | 'gid'>,
): boolean => stats.uid !== owner.uid || stats.gid !== owner.gid || (!stats.isSymbolicLink() && hasExtended(spot))

/** Whether a file or folder has extended attributes that Carrel keeps. */
export const hasExtended = (spot: string | Buffer): boolean => namesAt(spot).length > 0

/** Gives a file or folder of this process attributes. Returns those that could not be kept. Set its mode after this. */
export function setAttributes(spot: string | Buffer, wanted: Attributes): LostAttribute[] {
  const lost = setOwner(spot, wanted)
  const present = namesAt(spot)
  for (const name of present)
    if (!(name in wanted.extended)) attempt(() => xattr?.removeAttributeSync(String(spot), name))
  for (const [name, value] of Object.entries(wanted.extended)) {
    const isSet = attempt(() => xattr?.setAttributeSync(String(spot), name, Buffer.from(value, 'base64')))
    if (!isSet) lost.push(ACCESS_LISTS.test(name) ? 'access control list' : 'extended attributes')
  }
  return [...new Set(lost)]
}

/** Gives a new file to the owner of the folder around it: a server that runs as root works in the folders of others. */
export function giveToOwnerOf(folder: string | Buffer, spot: string | Buffer): LostAttribute[] {
  if (process.getuid?.() !== 0) return []
  const { uid, gid } = statSync(folder)
  return setOwner(spot, { uid, gid })
}

/** Returns sentences that say what a replacement of a file by another one could not keep. */
export function lossTexts(
  path: string,
  { lost, links }: { readonly lost: readonly LostAttribute[]; readonly links: number },
): string[] {
  const texts: string[] = []
  if (lost.length > 0) texts.push(`${path} could not keep its ${lost.join(', ')}: Carrel has no right to set them.`)
  if (links > 1)
    texts.push(
      `${path} had ${links} names (hard links). Only this name has the new content; the link to the others was cut.`,
    )
  return texts
}

function setOwner(spot: string | Buffer, { uid, gid }: Pick<Attributes, 'uid' | 'gid'>): LostAttribute[] {
  const now = lstatSync(spot)
  if (now.uid === uid && now.gid === gid) return []
  if (attempt(() => lchownSync(spot, uid, gid))) return []
  const lost: LostAttribute[] = now.uid === uid ? [] : ['owner']
  // The owner may give a file to another group of its own.
  if (now.gid !== gid && !attempt(() => lchownSync(spot, now.uid, gid))) lost.push('group')
  return lost
}

/** Reads values; one that may not be read is left out. */
function extendedAt(spot: string | Buffer): Record<string, string> {
  const extended: Record<string, string> = {}
  for (const name of namesAt(spot)) {
    attempt(() => {
      const value = xattr?.getAttributeSync(String(spot), name)
      if (value) extended[name] = value.toString('base64')
    })
  }
  return extended
}

const NONE: readonly string[] = []

/** Names that are not valid text cannot be asked for by this library. */
function namesAt(spot: string | Buffer): readonly string[] {
  if (!xattr || typeof spot !== 'string') return NONE
  try {
    const names = xattr.listAttributesSync(spot)
    return names.length === 0 ? NONE : names.filter(isKept)
  } catch (thrown) {
    // The library has no codes: 2 nothing, 13 and 1 no permission, 95 and 45 a disk without attributes.
    if (/os error (1|2|13|45|95)\)/.test(messageOf(thrown))) return NONE
    throw thrown
  }
}

function attempt(work: () => unknown): boolean {
  try {
    work()
    return true
  } catch {
    return false
  }
}
