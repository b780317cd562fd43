import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { fileTrouble } from '../../model/files/file-trouble.ts'
import { absentAsNullSync } from '../../primitives/absent-as-null.ts'

/** File by which commands find the server of a data folder, without secrets: the token is in a file beside it. */
const ServerFile = z.object({
  url: z.string(),
  pid: z.number().int(),
  /** Milliseconds since 1970. */
  startedAt: z.number(),
  /** Device and inode of the data folder: in a copy of the folder the file is about another server. */
  folder: z.string().optional(),
})
export type ServerFile = z.infer<typeof ServerFile>

const pathOf = (dataFolder: string): string => join(dataFolder, 'server.json')

/**
 * Reads the file of the last server; null without one, when its content is not one, or when it came with a copy. The server may be dead: see
 * `askServer`.
 * @throws unavailable when the file exists and cannot be read
 */
export function readServerFile(dataFolder: string): ServerFile | null {
  const text = readOwn(pathOf(dataFolder))
  if (text === null) return null
  const here = folderOf(dataFolder)
  try {
    const file = ServerFile.parse(JSON.parse(text))
    return (file.folder ?? here) === here ? file : null
  } catch {
    return null
  }
}

function folderOf(dataFolder: string): string {
  const { dev, ino } = statSync(dataFolder, { bigint: true })
  return `${dev}:${ino}`
}

/** Writes the file atomically, readable by its owner only. */
export function writeServerFile(dataFolder: string, server: Omit<ServerFile, 'folder'>): void {
  mkdirSync(dataFolder, { recursive: true })
  const fresh = `${pathOf(dataFolder)}.${server.pid}`
  writeFileSync(fresh, `${JSON.stringify({ ...server, folder: folderOf(dataFolder) })}\n`, { mode: 0o600 })
  renameSync(fresh, pathOf(dataFolder))
}

/** Removes the file if it still belongs to process `pid`. Idempotent. */
export function removeServerFile(dataFolder: string, pid: number): void {
  if (readServerFile(dataFolder)?.pid === pid) rmSync(pathOf(dataFolder), { force: true })
}

/** Reads the token of the data folder; null without one. @throws unavailable when the file exists and cannot be read */
export const readToken = (dataFolder: string): string | null => readOwn(join(dataFolder, 'token'))?.trim() || null

function readOwn(path: string): string | null {
  try {
    return absentAsNullSync(() => readFileSync(path, 'utf8'))
  } catch (thrown) {
    throw fileTrouble(`${path} cannot be read.`, thrown)
  }
}

/**
 * Checks whether the server is alive and accepts the token.
 * @returns its answer; null when no such server answers within `patienceMs`
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
