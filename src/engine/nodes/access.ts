import { createHash, createHmac, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'

/** An Ed25519 key in PKCS #8, without its last 32 bytes, which are the seed (RFC 8410). */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** Returns the digest by which the database names a token. A token has 256 random bits, so the digest proves nothing. */
export const tokenDigest = (token: string): string =>
  createHash('sha256').update(`carrel token ${token}`).digest('base64url')

/** Derives the key that signs the logins of a machine from its token, so that it needs no file of its own. */
export function loginKeyOf(token: string): KeyObject {
  const seed = createHmac('sha256', token).update('carrel login key').digest()
  return createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: 'der', type: 'pkcs8' })
}

/** Returns a key for the database: it verifies logins and cannot make any. */
export const publicText = (key: KeyObject): string =>
  createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64url')
