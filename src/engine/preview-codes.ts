import { createHmac } from 'node:crypto'

const LETTERS = 'abcdefghijklmnopqrstuvwxyz234567'
const LENGTH = 16

/**
 * Returns a function from a key to its code: 80 bits of an HMAC with the installation's token, in letters that host
 * names allow. A code reveals neither other codes nor the token; another token gives other codes.
 */
export function previewCodes(token: string): (key: string) => string {
  return (key) => {
    const digest = createHmac('sha256', token).update(`carrel preview ${key}`).digest()
    return Array.from(digest.subarray(0, LENGTH), (byte) => LETTERS[byte % LETTERS.length]).join('')
  }
}
