import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { fileTrouble } from '../../model/file-trouble.ts'
import { absentAsNullSync } from '../../primitives/absent-as-null.ts'

/** How commands find the server of a data folder. Says nothing secret: what proves who one is lies beside it. */
const ServerFile = z.object({
  url: z.string(),
  pid: z.number().int(),
  /** Milliseconds since 1970. */
  startedAt: z.number(),
})
export type ServerFile = z.infer<typeof ServerFile>

const pathOf = (dataFolder: string): string => join(dataFolder, 'server.json')

/**
 * Returns the note of the last server, which may be dead; null without one, or when it is no note.
 *
 * @throws unavailable when the file is there and cannot be read
 */
export function readServerFile(dataFolder: string): ServerFile | null {
  const text = readOwn(pathOf(dataFolder))
  if (text === null) return null
  try {
    return ServerFile.parse(JSON.parse(text))
  } catch {
    return null
  }
}

/** Readable by the owner only; put in place in one step, so that nobody reads half of it. */
export function writeServerFile(dataFolder: string, server: ServerFile): void {
  mkdirSync(dataFolder, { recursive: true })
  const fresh = `${pathOf(dataFolder)}.${server.pid}`
  writeFileSync(fresh, `${JSON.stringify(server)}\n`, { mode: 0o600 })
  renameSync(fresh, pathOf(dataFolder))
}

/** Removes the file if it is still that of process `pid`. Safe to repeat. */
export function removeServerFile(dataFolder: string, pid: number): void {
  if (readServerFile(dataFolder)?.pid === pid) rmSync(pathOf(dataFolder), { force: true })
}

/**
 * Returns the token of the data folder; null without one.
 *
 * @throws unavailable when the file is there and cannot be read
 */
export function readToken(dataFolder: string): string | null {
  return readOwn(join(dataFolder, 'token'))?.trim() || null
}

function readOwn(path: string): string | null {
  try {
    return absentAsNullSync(() => readFileSync(path, 'utf8'))
  } catch (thrown) {
    throw fileTrouble(`${path} cannot be read.`, thrown)
  }
}

/**
 * Asks the server whether it lives and takes our token.
 * @returns its answer, `null` when nobody of ours is there within `patienceMs`
 */
export async function askServer(
  url: string,
  token: string,
  patienceMs: number,
): Promise<{ pid: number; version: string } | null> {
  try {
    const answer = await fetch(new URL('/api/v1/server', url), {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(patienceMs),
    })
    if (!answer.ok) return null
    return z.object({ pid: z.number(), version: z.string() }).parse(await answer.json())
  } catch {
    return null
  }
}
