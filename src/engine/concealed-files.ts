import type { FileDiff, Hunk } from '../model/history.ts'
import type { Mask } from '../model/mask.ts'
import { linesOf } from '../model/merge.ts'

/** A diff as it may be shown (B3): the same hunks and lines, with no value in them. Nothing is written from it. */
export function concealedDiff(diff: FileDiff, mask: Mask): FileDiff {
  if (mask.empty || !diff.texts) return diff
  const texts = { before: mask.lines(diff.texts.before), after: mask.lines(diff.texts.after) }
  if (texts.before === diff.texts.before && texts.after === diff.texts.after) return diff
  const sides = { before: bareLines(texts.before), after: bareLines(texts.after) }
  return { ...diff, texts, hunks: diff.hunks.map((hunk) => concealedHunk(hunk, sides)) }
}

/** Taken from the whole texts: a value with several lines may begin outside of the hunk. */
function concealedHunk(hunk: Hunk, { before, after }: Readonly<Record<'before' | 'after', readonly string[]>>): Hunk {
  let old = first(hunk.oldStart, hunk.oldLines)
  let young = first(hunk.newStart, hunk.newLines)
  const lines = hunk.lines.map((line) => {
    if (line.startsWith('-')) return `-${before[old++]}`
    if (line.startsWith('+')) return `+${after[young++]}`
    if (!line.startsWith(' ')) return line
    const [was, is] = [` ${before[old++]}`, ` ${after[young++]}`]
    // On one side it may be a part of a value that the other side has no longer.
    return was === line ? is : was
  })
  return { ...hunk, lines }
}

const first = (start: number, lines: number): number => (lines === 0 ? start : start - 1)

const bareLines = (text: string): string[] => linesOf(text).map((line) => line.replace(/\n$/, ''))

/**
 * Bytes as they may be shown; all others stay. In one pass: what is hidden first would break a value that it is a part
 * of.
 */
export function concealedBytes(bytes: Uint8Array, mask: Mask): Uint8Array {
  if (mask.empty) return bytes
  const text = Buffer.from(bytes).toString('latin1')
  const masked = mask.binary(text)
  return masked === text ? bytes : Buffer.from(masked, 'latin1')
}
