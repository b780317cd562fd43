import { createHash, createHmac, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import type { MachineStore } from '../../store/machine-store.ts'

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

/** Recognizes the tokens and logins of all machines of an installation, so that one login is good for all nodes. */
export interface NodeAccess {
  /** Whether `text` is the access token of a machine. */
  isToken(text: string): Promise<boolean>
  /** Signs `text` as this machine. Returns its id and the signature, with a full stop in between. */
  sign(text: string): string
  /** Whether `seal` is the signature of any machine on `text`. */
  isSigned(text: string, seal: string): Promise<boolean>
}

interface Parts {
  readonly token: string
  readonly machine: string
  /** The other machines; null where there are none. */
  readonly others: Pick<MachineStore, 'knowsToken' | 'loginKey'> | null
  readonly now: () => number
}

/** How long an answer of the database about another machine is good. ms. */
const GOOD_MS = 10_000

export function createAccess({ token, machine, others, now }: Parts): NodeAccess {
  const own = loginKeyOf(token)
  const digest = tokenDigest(token)
  const isForeign = remembering(now, async (text: string) => (await others?.knowsToken(text)) || null)
  const foreignKey = remembering(now, async (id: string) => {
    const key = await others?.loginKey(id)
    return key ? createPublicKey({ key: Buffer.from(key, 'base64url'), format: 'der', type: 'spki' }) : null
  })
  const keyOf = async (id: string) => (id === machine ? createPublicKey(own) : await foreignKey(id))
  return {
    async isToken(text) {
      // Digests may be compared in any time: nobody can choose them.
      const given = tokenDigest(text)
      return given === digest || (await isForeign(given)) === true
    },
    sign: (text) => `${machine}.${sign(null, Buffer.from(text), own).toString('base64url')}`,
    async isSigned(text, seal) {
      const [id = '', signature = ''] = seal.split('.')
      const key = await keyOf(id)
      return key !== null && verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'))
    },
  }
}

/** Asks `read` again after a while. Only found values are kept, so that a new machine is known at once. */
function remembering<T>(now: () => number, read: (key: string) => Promise<T | null>) {
  const known = new Map<string, { readonly value: T; readonly until: number }>()
  return async (key: string): Promise<T | null> => {
    const kept = known.get(key)
    if (kept && kept.until > now()) return kept.value
    const value = await read(key)
    if (value === null) known.delete(key)
    else known.set(key, { value, until: now() + GOOD_MS })
    return value
  }
}
