import { z } from 'zod'
import { wholeAt } from './events/clip.ts'
import { Item } from './events/items.ts'
import { AgentId, Millis, ProjectId, SessionId, SpaceId } from './ids.ts'

/**
 * Full-text search. Both databases index the words of `wordsOf` and query the terms of `termsOf`, so that they find the
 * same items. `excerpt` marks the matches.
 */

/** Maximum number of indexed words of a text. */
export const MAX_WORDS = 16_000
/** Significant characters of a word; a longer word is data. */
const MAX_WORD_CHARS = 64
/** Minimum length of a prefix: a single letter would match a large part of all items. */
const MIN_PREFIX_CHARS = 2
export const SNIPPET_CHARS = 240

/** Consecutive words that must match in order: a single word, a quoted phrase, a path or a name with dashes. */
export interface Term {
  /** At least one word. */
  readonly words: readonly string[]
  /** The last word matches as a prefix. */
  readonly prefix: boolean
}

/** Word with its position in the text, in UTF-16 units. */
interface Found {
  readonly word: string
  readonly from: number
  readonly to: number
}

// Scripts without spaces: each character is a word, and a word is a phrase.
const UNSPACED = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}`
const RUN = new RegExp(String.raw`[${UNSPACED}]\p{M}*|[[\p{L}\p{N}\p{M}]--[${UNSPACED}]]+`, 'gv')
const PLAIN_RUN = /[A-Za-z0-9]+/g
const PLAIN = /^\p{ASCII}*$/u

/** Returns the words of a text in order: letters and digits, without case and accents. At most `MAX_WORDS`. */
export const wordsOf = (text: string): string[] => findWords(text, MAX_WORDS).map(({ word }) => word)

function findWords(text: string, max: number): Found[] {
  const found: Found[] = []
  for (const match of text.matchAll(PLAIN.test(text) ? PLAIN_RUN : RUN)) {
    const from = match.index
    for (const word of normal(match[0])) {
      found.push({ word, from, to: from + match[0].length })
      if (found.length === max) return found
    }
  }
  return found
}

/** Normalizes a word. Upper-casing first unifies letters that lower-casing keeps apart: sharp s and ss, both sigmas. */
function normal(run: string): string[] {
  if (PLAIN.test(run)) return [run.slice(0, MAX_WORD_CHARS).toLowerCase()]
  const folded = run.normalize('NFKD').toUpperCase().toLowerCase().normalize('NFKD').replaceAll('ς', 'σ')
  const words = folded.replace(/\p{M}+/gu, '').match(/[\p{L}\p{N}]+/gu) ?? []
  // By code points: a slice by UTF-16 units could split one.
  return words.map((word) => (word.length > MAX_WORD_CHARS ? [...word].slice(0, MAX_WORD_CHARS).join('') : word))
}

/**
 * Parses a search query; an item must match every term. Quotes make a phrase of whole words. The last word matches as a
 * prefix unless it is quoted or a single letter. Every text is valid; one without letters and digits has no terms.
 */
export function termsOf(text: string): Term[] {
  const parts = text.replace(/[“”„«»]/g, '"').match(/"[^"]*"?|[^\s"]+/g) ?? []
  const terms = parts.flatMap((part) => {
    const words = wordsOf(part)
    return words.length === 0 ? [] : [{ words, prefix: false, quoted: part.startsWith('"') }]
  })
  return terms.map(({ words, quoted }, index) => {
    const goesOn = index === terms.length - 1 && !quoted && (words.at(-1)?.length ?? 0) >= MIN_PREFIX_CHARS
    return { words, prefix: goesOn }
  })
}

const Kind = z.enum(Item.options.map(({ shape }) => shape.kind.value))

/** Item that matches all terms, with the excerpt that contains most of them. */
export const SearchHit = z.object({
  session: SessionId,
  sessionName: z.string(),
  space: SpaceId,
  project: ProjectId,
  n: z.number().int(),
  kind: Kind,
  at: Millis,
  /** One line of plain text: at most `SNIPPET_CHARS` characters and an ellipsis at each end. */
  snippet: z.string(),
  /** Positions of matches in the snippet, `[from, to)` in UTF-16 units, in order, without overlap. */
  marks: z.array(z.tuple([z.number().int(), z.number().int()])),
  agent: AgentId.nullable(),
})
export type SearchHit = z.infer<typeof SearchHit>
export type Excerpt = Pick<SearchHit, 'snippet' | 'marks'>

/** Returns the part of a text that contains most terms, the first of several. */
export function excerpt(text: string, terms: readonly Term[]): Excerpt {
  const places = findTerms(text, terms)
  const { from, to } = windowOf(text, places)
  const before = from > 0 ? '…' : ''
  const after = to < text.length ? '…' : ''
  const shift = before.length - from
  const marks: [number, number][] = []
  for (const place of places) {
    if (place.from < from || place.to > to) continue
    const last = marks.at(-1)
    if (last && place.from + shift <= last[1]) last[1] = Math.max(last[1], place.to + shift)
    else marks.push([place.from + shift, place.to + shift])
  }
  // Each space character becomes one space, so that the marks keep their positions.
  return { snippet: `${before}${text.slice(from, to).replace(/\s/g, ' ')}${after}`, marks }
}

interface Place {
  readonly term: number
  readonly from: number
  readonly to: number
}

function findTerms(text: string, terms: readonly Term[]): Place[] {
  const words = findWords(text, MAX_WORDS)
  const places: Place[] = []
  for (const [index, first] of words.entries()) {
    for (const [term, wanted] of terms.entries()) {
      if (!standsAt(words, index, wanted)) continue
      const last = words[index + wanted.words.length - 1] ?? first
      places.push({ term, from: first.from, to: last.to })
    }
  }
  return places
}

function standsAt(words: readonly Found[], index: number, { words: wanted, prefix }: Term): boolean {
  return wanted.every((word, offset) => {
    const there = words[index + offset]?.word
    return prefix && offset === wanted.length - 1 ? there?.startsWith(word) : there === word
  })
}

function windowOf(text: string, places: readonly Place[]): { from: number; to: number } {
  if (text.length <= SNIPPET_CHARS) return { from: 0, to: text.length }
  let best = { from: 0, terms: 0 }
  for (const [index, { from }] of places.entries()) {
    const terms = new Set<number>()
    for (let next = index; next < places.length; next += 1) {
      const place = places[next] as Place
      if (place.from >= from + SNIPPET_CHARS) break
      if (place.to <= from + SNIPPET_CHARS) terms.add(place.term)
    }
    if (terms.size > best.terms) best = { from, terms: terms.size }
  }
  // Some leading context, as long as the matches still fit.
  const first = places.find((place) => place.from === best.from)
  const lead = first ? Math.min(best.from, leadOf(places, best.from)) : 0
  const from = wholeAt(text, Math.max(0, Math.min(best.from - lead, text.length - SNIPPET_CHARS)))
  return { from, to: wholeAt(text, Math.min(text.length, from + SNIPPET_CHARS)) }
}

const LEAD_CHARS = 48

function leadOf(places: readonly Place[], from: number): number {
  const last = places.findLast((place) => place.from >= from && place.to <= from + SNIPPET_CHARS)
  return Math.max(0, Math.min(LEAD_CHARS, SNIPPET_CHARS - ((last?.to ?? from) - from)))
}
