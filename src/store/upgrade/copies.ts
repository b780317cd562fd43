import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { CarrelError } from '../../model/errors.ts'
import { CopyManifest, copiesToRemove, copyName } from '../../model/upgrade.ts'
import { absentAsNullSync } from '../../primitives/absent-as-null.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { digestFile } from './digest.ts'

/** A copy with its manifest, under its final name: whole, unless somebody changed it since. */
export interface Copy {
  /** `2026-11-24T10-15-30-123Z-schema-9`. */
  readonly name: string
  readonly folder: string
  readonly manifest: CopyManifest
}

/** How far something is; `of` is null where nobody knows. */
export type Say = (what: string, done: number, of: number | null) => void

/** The facts that a manifest has before its file is written. */
export type CopyFacts = Omit<CopyManifest, 'format' | 'bytes' | 'sha256' | 'counts'>

/** How an upgrade is done. */
export interface UpgradeOptions {
  /** The folder of copies. */
  readonly copies: string
  /** `made`: a person says that a copy exists elsewhere, and none is made. */
  readonly copy: 'make' | 'made'
  /** The version of this Carrel, for the manifest of the copy. */
  readonly carrel: string
}

/** The folder of copies in a data folder. */
export const copiesIn = (dataFolder: string): string => join(dataFolder, 'upgrades')

const MANIFEST = 'manifest.json'
const PART = '.part'

/**
 * Makes a new copy in the folder of copies and reads it back. Copies of earlier tries are never taken for it. The
 * oldest ones beyond the few that are kept go.
 * @param needed names of copies that stay, however old they are
 * @param write writes the file and returns the rows of each table that it finds in it
 * @throws unavailable when it came back as something else; whatever `write` throws. Then nothing is left of it.
 */
export async function makeCopy(
  copies: string,
  facts: CopyFacts,
  write: (file: string) => Promise<Readonly<Record<string, number>>>,
  { say = () => undefined, needed = [] }: { say?: Say; needed?: readonly string[] } = {},
): Promise<Copy> {
  mkdirSync(copies, { recursive: true, mode: 0o700 })
  removeParts(copies)
  const name = freeName(copies, copyName(facts.at, facts.schema))
  const folder = join(copies, name)
  const part = `${folder}${PART}`
  try {
    mkdirSync(part, { mode: 0o700 })
    const file = join(part, facts.file)
    const counts = await write(file)
    chmodSync(file, 0o600)
    flush(file)
    const { bytes, sha256 } = await digestFile(file, (done, of) => say('reading the copy back', done, of))
    const manifest: CopyManifest = { format: 1, ...facts, bytes, sha256, counts }
    writeFileSync(join(part, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`, { mode: 0o600, flush: true })
    flush(part)
    renameSync(part, folder)
    flush(copies)
  } catch (thrown) {
    rmSync(part, { recursive: true, force: true })
    throw thrown
  }
  const copy = await readCopy(copies, name, say)
  prune(copies, [name, ...needed])
  return copy
}

/** Removes what tries that were killed left behind. */
function removeParts(copies: string): void {
  for (const name of readdirSync(copies)) {
    if (name.endsWith(PART)) rmSync(join(copies, name), { recursive: true, force: true })
  }
}

function freeName(copies: string, wanted: string): string {
  const taken = new Set(readdirSync(copies))
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? wanted : `${wanted}-${count}`
    if (!taken.has(name)) return name
  }
}

/** Brings a file or folder to the disk itself. */
export function flush(path: string): void {
  // Windows opens no folders.
  if (process.platform === 'win32' && statSync(path).isDirectory()) return
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function prune(copies: string, needed: readonly string[]): void {
  const all = listCopies(copies).copies.map(({ name, manifest: { at, schema } }) => ({ name, at, schema }))
  for (const name of copiesToRemove(all, needed)) rmSync(join(copies, name), { recursive: true, force: true })
}

/** All copies, newest first, and what lies beside them and cannot be read as one. */
export function listCopies(copies: string): { copies: Copy[]; unreadable: { name: string; why: string }[] } {
  const found: Copy[] = []
  const unreadable: { name: string; why: string }[] = []
  for (const name of namesIn(copies)) {
    if (name.endsWith(PART)) continue
    try {
      found.push({ name, folder: join(copies, name), manifest: readManifest(join(copies, name)) })
    } catch (thrown) {
      unreadable.push({ name, why: messageOf(thrown) })
    }
  }
  return { copies: found.sort((a, b) => b.manifest.at - a.manifest.at || (a.name < b.name ? 1 : -1)), unreadable }
}

function namesIn(folder: string): string[] {
  return absentAsNullSync(() => readdirSync(folder)) ?? []
}

/**
 * Reads a copy and compares its file with the digest of its manifest.
 * @throws not_found for a name that no copy has, unavailable when the copy is not as it was made
 */
export async function readCopy(copies: string, name: string, say: Say = () => undefined): Promise<Copy> {
  if (!namesIn(copies).includes(name) || name.endsWith(PART))
    throw new CarrelError(
      'not_found',
      `There is no copy ${JSON.stringify(name)} in ${copies}. \`carrel upgrade back\` lists the copies.`,
      { copies },
    )
  const folder = join(copies, name)
  const manifest = readManifest(folder)
  const path = join(folder, manifest.file)
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
    throw new CarrelError('unavailable', `The copy ${name} lacks its file ${manifest.file}. Choose another copy.`)
  const { bytes, sha256 } = await digestFile(path, (done, of) => say('reading the copy back', done, of))
  if (bytes !== manifest.bytes || sha256 !== manifest.sha256)
    throw new CarrelError(
      'unavailable',
      `The copy ${name} is not as it was made: the digest of ${manifest.file} is another one. Nothing was changed. Choose another copy, or check the disk.`,
      { copy: name, expected: manifest.sha256, found: sha256 },
    )
  return { name, folder, manifest }
}

function readManifest(folder: string): CopyManifest {
  const path = join(folder, MANIFEST)
  try {
    return CopyManifest.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    throw new CarrelError(
      'unavailable',
      `${path} is missing or cannot be read, and without it nobody knows whether the copy is whole. Choose another copy.`,
      undefined,
      cause,
    )
  }
}
