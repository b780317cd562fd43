import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { CarrelError } from '../../model/errors.ts'

/** Key for AES-256-GCM. `id` names it in the database and reveals nothing of it. */
export interface SecretKey {
  readonly id: string
  readonly bytes: Buffer
}

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
/** Lengths recommended by NIST SP 800-38D. */
const NONCE_BYTES = 12
const TAG_BYTES = 16

export const newKey = (): SecretKey => keyOf(randomBytes(KEY_BYTES))

/** Parses a key in base64 as people write it; null for anything else. */
export function readKey(text: string): SecretKey | null {
  const bytes = Buffer.from(text.trim(), 'base64')
  const same =
    bytes.toString('base64').replace(/=+$/, '') ===
    text.trim().replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '')
  return same && bytes.length === KEY_BYTES ? keyOf(bytes) : null
}

export const writeKey = ({ bytes }: SecretKey): string => bytes.toString('base64')

const keyOf = (bytes: Buffer): SecretKey => ({
  id: createHash('sha256').update('carrel key ').update(bytes).digest('hex').slice(0, 16),
  bytes,
})

/** Owner of a value: a sealed value that is moved to another owner does not open. */
export interface SealPlace {
  readonly workspace: string
  readonly space: string | null
  readonly project: string | null
  readonly name: string
}

export function seal(key: SecretKey, place: SealPlace, value: string): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, key.bytes, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(boundTo(key, place))
  const sealed = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64')
}

/** @throws unavailable when the value was changed or moved */
export function unseal(key: SecretKey, place: SealPlace, sealed: string): string {
  const all = Buffer.from(sealed, 'base64')
  try {
    const decipher = createDecipheriv(CIPHER, key.bytes, all.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAAD(boundTo(key, place))
    decipher.setAuthTag(all.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
    const value = decipher.update(all.subarray(NONCE_BYTES + TAG_BYTES))
    return Buffer.concat([value, decipher.final()]).toString('utf8')
  } catch (cause) {
    const text = `The secret ${place.name} cannot be opened, although its key exists: it was changed or moved in the database. Set it again, or remove it.`
    throw new CarrelError('unavailable', text, { name: place.name, key: key.id }, cause)
  }
}

const boundTo = (key: SecretKey, { workspace, space, project, name }: SealPlace): Buffer =>
  Buffer.from(JSON.stringify(['carrel secret 1', workspace, space, project, name, key.id]))
