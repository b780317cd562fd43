import { chmod, open, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CarrelError } from '../../model/errors.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { newKey, readKey, type SecretKey, writeKey } from './sealing.ts'

/** Keys that secrets are sealed with: the first one seals, all of them open. */
export interface KeyRing {
  /** Source of the keys, for people. */
  readonly source: string
  /** True when Carrel made the file and may change it; otherwise the operator of the server does. */
  readonly own: boolean
  /** Reads the keys. @throws unavailable when the source contains an invalid key */
  keys(): Promise<readonly SecretKey[]>
  /** Returns the key that seals; an own ring makes its first one. */
  sealing(): Promise<SecretKey>
  /** Adds a new key at the front of an own ring. */
  add(): Promise<void>
  /** Removes all keys but the first of an own ring. */
  retire(): Promise<void>
}

export interface KeySources {
  /** CARREL_SECRETS_KEY: keys in base64, separated by commas; the first one seals. */
  readonly environment: string | undefined
  /** File from the configuration, with one key a line. */
  readonly file: string | null
  readonly dataFolder: string
}

const OWN_KEY_FILE = 'secrets.key'
const HOW = 'A key is 32 random bytes in base64: `openssl rand -base64 32` makes one.'

/** Opens the keys of the environment, the configured file, or Carrel's own file, made on demand. */
export function openKeyRing({ environment, file, dataFolder }: KeySources): KeyRing {
  if (environment) return givenRing('CARREL_SECRETS_KEY', async () => environment.split(','))
  if (file !== null) return givenRing(file, () => linesOf(file))
  return ownRing(join(dataFolder, OWN_KEY_FILE))
}

function givenRing(source: string, texts: () => Promise<readonly string[] | null>): KeyRing {
  const keys = async () => {
    const found = await texts()
    if (found === null) {
      const text = `The key file ${source} is missing. Restore it, or correct secretsKeyFile. ${HOW}`
      throw new CarrelError('unavailable', text)
    }
    return readAll(source, found)
  }
  const refuse = async () => {
    const text = `The keys come from ${source}, which Carrel cannot change. Put a new key in front of the old one, restart Carrel and try again. ${HOW}`
    throw new CarrelError('forbidden', text)
  }
  return { source, own: false, keys, sealing: async () => firstOf(source, await keys()), add: refuse, retire: refuse }
}

function ownRing(path: string): KeyRing {
  const keys = async () => readAll(path, (await linesOf(path)) ?? [])
  const add = async () => writeAll(path, [newKey(), ...(await keys())])
  return {
    source: path,
    own: true,
    keys,
    add,
    sealing: async () => {
      if ((await keys()).length === 0) await add()
      return firstOf(path, await keys())
    },
    retire: async () => writeAll(path, (await keys()).slice(0, 1)),
  }
}

function firstOf(source: string, [first]: readonly SecretKey[]): SecretKey {
  if (first) return first
  throw new CarrelError('unavailable', `${source} contains no key. ${HOW}`)
}

function readAll(source: string, texts: readonly string[]): SecretKey[] {
  return texts
    .filter((text) => text.trim() !== '')
    .map((text) => {
      const key = readKey(text)
      if (key) return key
      throw new CarrelError('unavailable', `${source} contains an invalid key. ${HOW} Correct it there.`)
    })
}

async function linesOf(path: string): Promise<string[] | null> {
  try {
    return (await absentAsNull(readFile(path, 'utf8')))?.split('\n') ?? null
  } catch (cause) {
    const text = `The keys in ${path} cannot be read: ${messageOf(cause)}. Let the server's user read it.`
    throw new CarrelError('unavailable', text, undefined, cause)
  }
}

/** Replaces the file atomically: a lost key loses every secret. */
async function writeAll(path: string, keys: readonly SecretKey[]): Promise<void> {
  const part = `${path}.part`
  try {
    const file = await open(part, 'w', 0o600)
    try {
      await file.writeFile(keys.map((key) => `${writeKey(key)}\n`).join(''))
      await file.sync()
    } finally {
      await file.close()
    }
    await chmod(part, 0o600)
    await rename(part, path)
    await syncFolder(dirname(path))
  } catch (cause) {
    const text = `The key file ${path} cannot be written: ${messageOf(cause)}. Make room or give write access, or give a key in CARREL_SECRETS_KEY.`
    throw new CarrelError('unavailable', text, undefined, cause)
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
