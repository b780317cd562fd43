import type { Complaint } from './house-rules.ts'

const MOST_CHARACTERS = 160
/** Matches the end of a sentence before another one on the same line. The number of a step ends no sentence. */
const NEXT_SENTENCE = /(?<!\*\*\d+)[.?!][)"'”*_]*\s+[*_"'“([]*[A-Z]/

/**
 * Returns a complaint for each line of prose in a Markdown file that is too long or holds two sentences: a diff of
 * documents is readable only if each sentence has its line. Tables, headings and code are exempt.
 */
export function checkDocument(path: string, text: string): Complaint[] {
  return linesOfProse(text).flatMap(({ line, raw, prose }) => [
    ...(raw.length > MOST_CHARACTERS
      ? [`${path}:${line}: the line has ${raw.length} characters; ${MOST_CHARACTERS} are allowed.`]
      : []),
    ...(NEXT_SENTENCE.test(prose) ? [`${path}:${line}: the line holds two sentences; give each its own.`] : []),
  ])
}

interface ProseLine {
  readonly line: number
  readonly raw: string
  /** The line without its list mark; a letter replaces each piece of code. */
  readonly prose: string
}

function linesOfProse(text: string): ProseLine[] {
  const found: ProseLine[] = []
  let fenced = false
  let indented = false
  let before = ''
  for (const [index, raw] of text.split('\n').entries()) {
    const fence = /^\s*(```|~~~)/.test(raw)
    if (fence) fenced = !fenced
    // Four spaces begin a block of code only after an empty line or a heading; elsewhere they continue a list item.
    indented = /^ {4}/.test(raw) && (indented || before.trim() === '' || before.startsWith('#'))
    before = raw
    if (fence || fenced || indented || raw.trim() === '' || /^\s*(\||#)/.test(raw)) continue
    const prose = raw.replace(/^\s*(?:[-*>]|\d+\.)\s+/, '').replace(/`[^`]*`/g, 'x')
    found.push({ line: index + 1, raw, prose })
  }
  return found
}
