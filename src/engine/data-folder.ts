import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CarrelError } from '../model/errors.ts'
import { fileTrouble } from '../model/files/file-trouble.ts'
import { absentAsNull } from '../primitives/absent-as-null.ts'

/** File with the name of this node, which copies of the data folder share. */
export const NODE_FILE = 'node'

/** Creates the data folder where it is missing, readable by its owner only. @throws unavailable with the reason */
export async function makeDataFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 }).catch((cause) => {
    const message = `The data folder ${path} cannot be created: ${cause.message}. Choose another with --data.`
    throw new CarrelError('unavailable', message, undefined, cause)
  })
}

/** Returns a random text of this installation from the file `name`, created once, readable by its owner only. */
export async function keptSecret(dataFolder: string, name: string, bytes: number): Promise<string> {
  const path = join(dataFolder, name)
  // A secret that cannot be read is never replaced: its copies elsewhere would become invalid.
  const kept = await absentAsNull(readFile(path, 'utf8')).catch((thrown) => {
    throw fileTrouble(`${path} cannot be read.`, thrown)
  })
  if (kept?.trim()) {
    await chmod(path, 0o600)
    return kept.trim()
  }
  const secret = randomBytes(bytes).toString('base64url')
  await writeFile(path, `${secret}\n`, { mode: 0o600 })
  return secret
}
