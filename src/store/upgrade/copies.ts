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
import { CopyManifest, copiesToRemove, copyName, type ReportProgress } from '../../model/upgrade.ts'
import { absentAsNullSync } from '../../primitives/absent-as-null.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { digestFile } from './digest.ts'

/** A complete copy under its final name, with its manifest. Only `readCopy` verifies its file. */
export interface Copy {
  /** `2026-11-24T10-15-30-123Z-schema-9`. */
  readonly name: string
  readonly folder: string
  readonly manifest: CopyManifest
}

/** The part of a manifest that is known before its file is written. */
export type CopyFacts = Omit<CopyManifest, 'format' | 'bytes' | 'sha256' | 'counts'>

export interface UpgradeOptions {
  readonly copies: string
  /** `made`: a person confirmed an own copy elsewhere, so none is created. */
  readonly copy: 'make' | 'made'
  readonly carrel: string
}

export const copiesIn = (dataFolder: string): string => join(dataFolder, 'upgrades')

const MANIFEST = 'manifest.json'
const PART = '.part'

/**
 * Creates a new copy in the folder of copies, reads it back, and removes the oldest copies beyond the kept number.
 * Never reuses copies of earlier tries.
 * @param write writes the file, and returns the rows of each table found in it
 * @param needed names of copies that stay, however old they are
 * @throws unavailable when the copy reads back differently, and any error of `write`; then nothing is left of it
 */
export async function makeCopy(
  copies: string,
  facts: CopyFacts,
  write: (file: string) => Promise<Readonly<Record<string, number>>>,
  { say = () => undefined, needed = [] }: { say?: ReportProgress; needed?: readonly string[] } = {},
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
    const { bytes, sha256 } = await digestFile(file, (done, of) => say('verifying the copy', done, of))
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

/** Removes leftovers of killed tries. */
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

export function flush(path: string): void {
  // Windows cannot open folders.
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

/** Lists all copies, newest first, and the entries beside them that are not readable copies. */
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
 * Reads a copy, and compares its file with the digest in its manifest.
 * @throws not_found for an unknown name, unavailable when the copy changed since
 */
export async function readCopy(copies: string, name: string, say: ReportProgress = () => undefined): Promise<Copy> {
  if (!namesIn(copies).includes(name) || name.endsWith(PART)) {
    const message = `There is no copy ${JSON.stringify(name)} in ${copies}. \`carrel upgrade back\` lists the copies.`
    throw new CarrelError('not_found', message, { copies })
  }
  const folder = join(copies, name)
  const manifest = readManifest(folder)
  const path = join(folder, manifest.file)
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
    throw new CarrelError('unavailable', `The copy ${name} lacks its file ${manifest.file}. Choose another copy.`)
  const { bytes, sha256 } = await digestFile(path, (done, of) => say('verifying the copy', done, of))
  if (bytes !== manifest.bytes || sha256 !== manifest.sha256) {
    const message = `The copy ${name} has changed: the digest of ${manifest.file} differs. No data was changed. Choose another copy, or check the disk.`
    throw new CarrelError('unavailable', message, { copy: name, expected: manifest.sha256, found: sha256 })
  }
  return { name, folder, manifest }
}

function readManifest(folder: string): CopyManifest {
  const path = join(folder, MANIFEST)
  try {
    return CopyManifest.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    const message = `${path} is missing or cannot be read, so the copy cannot be verified. Choose another copy.`
    throw new CarrelError('unavailable', message, undefined, cause)
  }
}
