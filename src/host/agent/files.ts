import { hash, randomUUID } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import type { AgentListener, AgentPlace } from './contract.ts'
import { type ResolvedPath, reachOf } from './reach.ts'
import { INVALID_PARAMS, NOT_FOUND, WireError } from './wire.ts'

type FileListener = Pick<AgentListener, 'read' | 'mayWrite' | 'wrote'>

const MAX_READ_BYTES = 16 << 20

/** Serves `fs/read_text_file`. `lenient`: a missing file reads as empty (see `readsMissingAsEmpty`). */
export async function readTextFile(
  params: unknown,
  place: AgentPlace,
  { lenient, listener }: { lenient: boolean; listener: FileListener },
): Promise<{ content: string }> {
  const { path, line, limit } = fields(params)
  const { real, seen } = await allowed(path, place)
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

/** Serves `fs/write_text_file` atomically; a file keeps its mode. Reports the agent's own path, links resolved. */
export async function writeTextFile(params: unknown, place: AgentPlace, listener: FileListener): Promise<object> {
  const { path, content } = fields(params)
  if (typeof content !== 'string') throw new WireError(INVALID_PARAMS, 'The content must be text.')
  const { real, seen } = await allowed(path, place)
  const folder = dirname(real)
  const old = await absentAsNull(stat(real))
  if (old && !old.isFile()) throw new WireError(INVALID_PARAMS, `${path} is not a file.`)
  await mkdir(folder, { recursive: true })
  // The folder may have become a link since the check.
  if ((await allowed(path, place)).real !== real) throw outside(path)
  const staged = join(folder, `.carrel-${randomUUID()}.tmp`)
  try {
    const file = await open(staged, 'wx', old ? old.mode & 0o7777 : 0o666)
    try {
      await file.writeFile(content, 'utf8')
      await file.sync()
    } finally {
      await file.close()
    }
    if (old) await chmod(staged, old.mode & 0o7777)
    // This check comes last, so that it sees writes that others made meanwhile.
    const refused = await listener.mayWrite(seen, await digestAt(real))
    if (refused !== null) throw new WireError(INVALID_PARAMS, refused, { path })
    await rename(staged, real)
  } catch (cause) {
    await rm(staged, { force: true })
    throw cause
  }
  listener.wrote(seen, Buffer.byteLength(content), hash('sha256', content))
  return {}
}

const digestAt = async (real: string): Promise<string | null> => {
  const bytes = await absentAsNull(readFile(real))
  return bytes && hash('sha256', bytes)
}

async function allowed(path: unknown, place: AgentPlace): Promise<ResolvedPath> {
  if (typeof path !== 'string') throw new WireError(INVALID_PARAMS, 'The path must be text.')
  const reached = await reachOf(place)(path)
  if (reached === null) throw outside(path)
  return reached
}

const outside = (path: unknown): WireError =>
  new WireError(INVALID_PARAMS, `${path} is outside the folders of this session.`)

const fields = (params: unknown): Record<string, unknown> => (params ?? {}) as Record<string, unknown>
