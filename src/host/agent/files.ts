import { hash, randomUUID } from 'node:crypto'
import { chmod, lstat, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import { attributesAt, giveToOwnerOf, lossTexts, setAttributes } from '../attributes.ts'
import type { HeldFolder } from '../root-folder.ts'
import type { AgentListener, AgentPlace } from './contract.ts'
import { type Beside, holdFolderOf, type ResolvedPath, resolveRead, resolveWrite } from './reach.ts'
import { INVALID_PARAMS, NOT_FOUND, WireError } from './wire.ts'

type FileListener = Pick<AgentListener, 'read' | 'mayWrite' | 'wrote' | 'notice'>

const MAX_READ_BYTES = 16 << 20

/** Serves `fs/read_text_file`. `lenient`: a missing file reads as empty (see `readsMissingAsEmpty`). */
export async function readTextFile(
  params: unknown,
  place: AgentPlace,
  { lenient, listener, beside }: { lenient: boolean; listener: FileListener; beside: Beside },
): Promise<{ content: string }> {
  const { path, line, limit } = fields(params)
  const { real, seen } = await resolveRead(path, place, beside)
  const found = await absentAsNull(stat(real))
  if (!found) {
    listener.read(seen, null)
    if (lenient) return { content: '' }
    throw new WireError(NOT_FOUND, `There is no file ${path}.`, { uri: path })
  }
  // A read from a pipe or device would never end.
  if (!found.isFile()) throw new WireError(INVALID_PARAMS, `${path} is not a file.`)
  if (found.size > MAX_READ_BYTES) throw new WireError(INVALID_PARAMS, `${path} is larger than 16 MiB.`)
  const bytes = await readFile(real)
  listener.read(seen, hash('sha256', bytes))
  const content = bytes.toString('utf8')
  if (typeof line !== 'number' && typeof limit !== 'number') return { content }
  const from = Math.max(0, (typeof line === 'number' ? line : 1) - 1)
  const lines = content.split('\n')
  return { content: lines.slice(from, typeof limit === 'number' ? from + limit : undefined).join('\n') }
}

/**
 * Serves `fs/write_text_file` atomically. A file keeps its owner, group, permission bits, access control list and
 * `user.*` attributes; a notice says which could not be kept, and that hard links were cut. Missing folders below the working folder are made, but
 * never the working folder itself. Reports the agent's own path, links resolved.
 */
export async function writeTextFile(
  params: unknown,
  place: AgentPlace,
  { listener, beside }: { listener: FileListener; beside: Beside },
): Promise<object> {
  const { path, content } = fields(params)
  if (typeof content !== 'string') throw new WireError(INVALID_PARAMS, 'The content must be text.')
  const target = await resolveWrite(path, place, beside)
  if (target.real === target.root) throw new WireError(INVALID_PARAMS, `${path} is not a file.`)
  const folder = holdFolderOf(target, place)
  try {
    await replaceFile({ folder, target, listener, path: String(path) }, content)
  } finally {
    folder.release()
  }
  listener.wrote(target.seen, hash('sha256', content))
  return {}
}

interface Replacement {
  /** The held folder of the file, so that no path on the way is resolved again. */
  readonly folder: HeldFolder
  readonly target: ResolvedPath
  readonly listener: FileListener
  readonly path: string
}

async function replaceFile({ folder, target, listener, path }: Replacement, content: string): Promise<void> {
  const real = join(folder.path, basename(target.real))
  const old = await absentAsNull(lstat(real))
  if (old && !old.isFile()) throw new WireError(INVALID_PARAMS, `${path} is not a file.`)
  const staged = join(folder.path, `.carrel-${randomUUID()}.tmp`)
  try {
    const file = await open(staged, 'wx', old ? 0o600 : 0o666)
    try {
      await file.writeFile(content, 'utf8')
      await file.sync()
    } finally {
      await file.close()
    }
    const lost = old ? setAttributes(staged, attributesAt(real, old)) : giveToOwnerOf(folder.path, staged)
    // The rights of a program must not pass to another content, so it loses setuid and setgid.
    if (old) await chmod(staged, old.mode & 0o1777)
    // This check comes last, so that it sees writes that others made meanwhile.
    const refused = await listener.mayWrite(target.seen, await digestAt(real))
    if (refused !== null) throw new WireError(INVALID_PARAMS, refused, { path })
    await rename(staged, real).catch((cause) => {
      listener.wrote(target.seen, null)
      throw cause
    })
    for (const text of lossTexts(path, { lost, links: old?.nlink ?? 1 })) listener.notice(text)
  } catch (cause) {
    await rm(staged, { force: true })
    throw cause
  }
}

const digestAt = async (real: string): Promise<string | null> => {
  const bytes = await absentAsNull(readFile(real))
  return bytes && hash('sha256', bytes)
}

const fields = (params: unknown): Record<string, unknown> => (params ?? {}) as Record<string, unknown>
