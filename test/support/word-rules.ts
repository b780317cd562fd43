import { parseSync, Visitor } from 'vite'
import type { Complaint } from './house-rules.ts'

/** Words that stand in for a noun: a sentence names its actor or thing instead. Questions may begin with them. */
const STAND_INS = /^(?:What|Who|Whoever|Whatever|Those|It|So|It's|What's|Who's)\b(?!')/
/** Paraphrases of terms that the field has, with the term. */
const PARAPHRASES: readonly (readonly [RegExp, string])[] = [
  [/\b(?:is|are|was|were|be|been|being) told\b/i, 'receives, gets a message, is notified'],
  [/\b(?:can|could|may|might|to|cannot) be had\b/i, 'is available'],
  [/\bit (?:is|was) said\b/i, 'name who says so'],
  [/\bwhoever\b/i, 'name the actor'],
  [/\bwhat whoever\b/i, 'name the actor'],
  [/\bso many of\b/i, 'a number, a count'],
  [/\b(?:has|have|had) in hand\b/i, 'holds'],
  [/\bgoes? as (?:it is|they are)\b/i, 'is applied unchanged'],
  [/\bmay be left out\b/i, 'optional'],
  [/\b(?:is|are) no (?:size|path|number|address|name|folder)\b/i, 'is not a size'],
  [/\bnobody (?:waits|knows)\b/i, 'you are all caught up; unknown'],
  [/\bdid not work\b/i, 'failed: say which thing, and what to do'],
  [/\bput away\b/i, 'dismiss'],
  [/\btaken back\b/i, 'undone, removed'],
]

interface Prose {
  readonly line: number
  readonly text: string
}

/** Returns complaints about comments and texts of a source file, or about the prose of a Markdown file. */
export function checkWords(path: string, text: string): Complaint[] {
  const prose = path.endsWith('.md') ? proseOfMarkdown(text) : proseOfSource(path, text)
  return prose.flatMap(({ line, text: words }) =>
    sentencesOf(words).flatMap((sentence) =>
      complaintsOf(sentence).map((why) => `${path}:${line}: ${why}: "${sentence.slice(0, 80)}"`),
    ),
  )
}

/** Returns the reasons why a sentence is not plain English; none for one that is. */
export function complaintsOf(sentence: string): string[] {
  const begins = STAND_INS.exec(sentence)
  const stands = begins && !/\?["')\]]*$/.test(sentence) ? [`begins with "${begins[0]}"`] : []
  return [
    ...stands,
    ...PARAPHRASES.flatMap(([pattern, term]) => {
      const found = pattern.exec(sentence)
      return found ? [`"${found[0]}" (${term})`] : []
    }),
  ]
}

export function sentencesOf(text: string): string[] {
  return text
    .replace(/`[^`]*`/g, (code) => code.replace(/[.?!:]/g, '_'))
    .split(/(?<=[.?!:][)"'*_]*)\s+(?=[*_"'([]*[A-Z])/)
    .map((sentence) => sentence.replace(/^[*_"'([\s-]+/, '').trim())
    .filter(Boolean)
}

function proseOfSource(path: string, text: string): Prose[] {
  const { program, comments, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`)
  const lineAt = (start: number) => text.slice(0, start).split('\n').length
  const found: Prose[] = joinLines(comments, text).map(({ value, start }) => ({ line: lineAt(start), text: value }))
  const see = (value: string, start: number) => {
    if (/^[A-Z][\w']* .*\S \S/.test(value)) found.push({ line: lineAt(start), text: value.replace(/\s+/g, ' ') })
  }
  new Visitor({
    Literal: ({ value, start }) => {
      if (typeof value === 'string') see(value, start)
    },
    TemplateLiteral: ({ quasis, start }) => see(quasis.map(({ value }) => value.cooked ?? value.raw).join('…'), start),
  }).visit(program)
  return found
}

interface Comment {
  readonly type: string
  readonly value: string
  readonly start: number
  readonly end: number
}

/** Joins `//` comments on consecutive lines into one text. Each tag of a docstring begins a new text. */
function joinLines(comments: readonly Comment[], text: string): { value: string; start: number }[] {
  const joined: { value: string; start: number; end: number }[] = []
  for (const { type, value, start, end } of comments) {
    const last = joined.at(-1)
    if (type === 'Line' && last && text.slice(last.end, start).trim() === '' && text[last.start + 1] === '/') {
      last.value += ` ${value.trim()}`
      last.end = end
    } else joined.push({ value: value.trim(), start, end })
  }
  return joined.flatMap(({ value, start }) =>
    value
      .replace(/^\s*\*+ ?/gm, '')
      .split(/\n\s*\n|\n(?=@|- )/)
      .map((part) => ({
        value: part
          .replace(/\s+/g, ' ')
          .replace(/^@(?:returns?|throws)\s+/, '')
          .trim(),
        start,
      })),
  )
}

function proseOfMarkdown(text: string): Prose[] {
  const found: Prose[] = []
  let fenced = false
  for (const [index, raw] of text.split('\n').entries()) {
    if (/^\s*(```|~~~)/.test(raw)) fenced = !fenced
    if (fenced || /^\s*(```|\|[\s|:-]+\|$)/.test(raw)) continue
    const cells = raw.trim().startsWith('|') ? raw.split('|') : [raw.replace(/^\s*(?:[-*+>]|\d+\.|#+)\s+/, '')]
    for (const cell of cells) if (cell.trim()) found.push({ line: index + 1, text: cell.trim() })
  }
  return found
}
