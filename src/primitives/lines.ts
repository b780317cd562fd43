import type { Readable } from 'node:stream'

const NEWLINE = 10

/**
 * Splits a stream into lines and holds at most one line of at most `maxBytes`. A longer one calls `tooLarge` and ends
 * reading, because nothing after it is reliable. Blank lines are skipped.
 */
export function readLines(
  input: Readable,
  maxBytes: number,
  onLine: (line: string) => void,
  tooLarge: () => void,
): void {
  let parts: Buffer[] = []
  let size = 0
  let dead = false
  input.on('error', () => undefined)
  input.on('data', (chunk: Buffer) => {
    let from = 0
    while (!dead) {
      const end = chunk.indexOf(NEWLINE, from)
      const piece = chunk.subarray(from, end < 0 ? undefined : end)
      size += piece.length
      if (size > maxBytes) {
        dead = true
        parts = []
        return tooLarge()
      }
      if (piece.length > 0) parts.push(piece)
      if (end < 0) return
      const line = (parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)).toString('utf8')
      parts = []
      size = 0
      from = end + 1
      if (line.trim() !== '') onLine(line)
    }
  })
}
