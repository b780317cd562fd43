import { createHmac } from 'node:crypto'

const LETTERS = 'abcdefghijklmnopqrstuvwxyz234567'
const LENGTH = 16

/**
 * 80 bits of the installation's token and the words, in letters that host names may have. Who has one can make no
 * other, nor the token; with another token all are others.
 */
export function previewCodes(token: string): (words: string) => string {
  return (words) => {
    const digest = createHmac('sha256', token).update(`carrel preview ${words}`).digest()
    return Array.from(digest.subarray(0, LENGTH), (byte) => LETTERS[byte % LETTERS.length]).join('')
  }
}
