import { mkdir, open, readdir, readFile, rename, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { absentAsNull } from '../../primitives/absent-as-null.ts'

/** Copy of a login file: path, time of its last write, content. */
interface Copy {
  readonly path: string
  readonly mtimeMs: number
  readonly content: Buffer
}

/** Updates all copies (`others`, made if missing) of a login file to the newest complete one; none after a logout. */
export async function shareLogin(shared: string, others: readonly string[]): Promise<void> {
  const own = await readCopy(shared)
  if (own === null) return
  const copies = (await Promise.all(others.map(readCopy))).filter((copy) => copy !== null)
  const newest = copies.reduce((best, copy) => (copy.mtimeMs > best.mtimeMs ? copy : best), own)
  for (const path of [shared, ...others]) {
    const known = path === shared ? own : copies.find((copy) => copy.path === path)
    if (known?.content.equals(newest.content)) continue
    await writeCopy(path, newest)
  }
}

/** Returns the homes that Carrel made for an agent. */
export async function homesOf(folder: string, agent: string): Promise<string[]> {
  const names = (await absentAsNull(readdir(folder))) ?? []
  return names.filter((name) => new RegExp(`^${agent}-[0-9a-f]{16}$`).test(name)).map((name) => join(folder, name))
}

/** Returns null for a missing or incomplete copy: half a login would log out every agent. */
async function readCopy(path: string): Promise<Copy | null> {
  const content = await absentAsNull(readFile(path))
  const found = await absentAsNull(stat(path))
  if (content === null || found === null || !isWhole(path, content)) return null
  return { path, mtimeMs: found.mtimeMs, content }
}

function isWhole(path: string, content: Buffer): boolean {
  if (content.length === 0) return false
  if (!path.endsWith('.json')) return true
  try {
    JSON.parse(content.toString('utf8'))
    return true
  } catch {
    return false
  }
}

/** Writes a copy atomically, readable by its owner only, with the time of its source. */
async function writeCopy(path: string, { content, mtimeMs }: Copy): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const part = `${path}.carrel-part`
  const file = await open(part, 'w', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await utimes(part, mtimeMs / 1_000, mtimeMs / 1_000)
  await rename(part, path)
}
