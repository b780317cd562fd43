import type { FileDiff, Hunk } from '../../model/files/history.ts'
import { linesOf } from '../../model/files/merge.ts'
import type { Mask } from '../../model/secrets/mask.ts'

/** Returns a diff without values of secrets (B3), with the same hunks and lines. For display only. */
export function maskedDiff(diff: FileDiff, mask: Mask): FileDiff {
  if (mask.empty || !diff.texts) return diff
  const texts = { before: mask.lines(diff.texts.before), after: mask.lines(diff.texts.after) }
  if (texts.before === diff.texts.before && texts.after === diff.texts.after) return diff
  const sides = { before: bareLines(texts.before), after: bareLines(texts.after) }
  return { ...diff, texts, hunks: diff.hunks.map((hunk) => maskedHunk(hunk, sides)) }
}

/** Takes the lines from the whole texts, because a value of several lines may begin outside of the hunk. */
function maskedHunk(hunk: Hunk, { before, after }: Readonly<Record<'before' | 'after', readonly string[]>>): Hunk {
  let old = first(hunk.oldStart, hunk.oldLines)
  let young = first(hunk.newStart, hunk.newLines)
  const lines = hunk.lines.map((line) => {
    if (line.startsWith('-')) return `-${before[old++]}`
    if (line.startsWith('+')) return `+${after[young++]}`
    if (!line.startsWith(' ')) return line
    const [was, is] = [` ${before[old++]}`, ` ${after[young++]}`]
    // One side may hold a part of a value that the other side no longer has.
    return was === line ? is : was
  })
  return { ...hunk, lines }
}

const first = (start: number, lines: number): number => (lines === 0 ? start : start - 1)

const bareLines = (text: string): string[] => linesOf(text).map((line) => line.replace(/\n$/, ''))

/** Masks values of secrets in bytes, and no other bytes. One pass, because one value may contain another. */
export function maskedBytes(bytes: Uint8Array, mask: Mask): Uint8Array {
  if (mask.empty) return bytes
  const text = Buffer.from(bytes).toString('latin1')
  const masked = mask.binary(text)
  return masked === text ? bytes : Buffer.from(masked, 'latin1')
}
