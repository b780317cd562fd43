/** Returns a new idempotency key: a request sent again with the same key has one effect. Works without a secure origin. */
export function newRequestKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
