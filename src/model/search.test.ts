import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { excerpt, MAX_WORDS, SNIPPET_CHARS, termsOf, wordsOf } from './search.ts'

/** The marked words of the best part of a text. */
function marked(text: string, query: string): string[] {
  const { snippet, marks } = excerpt(text, termsOf(query))
  return marks.map(([from, to]) => snippet.slice(from, to))
}

describe('words', () => {
  it('are letters and digits without case, accents and ligatures', () => {
    expect(wordsOf('Élan_vital: src/Foo-Bar.ts v1.20')).toEqual('elan vital src foo bar ts v1 20'.split(' '))
    expect(wordsOf('STRASSE Straße ﬁne ΟΔΟΣ οδος')).toEqual(['strasse', 'strasse', 'fine', 'οδοσ', 'οδοσ'])
    expect(wordsOf('e\u0301te\u0301 😀 -- \0 ½')).toEqual(['ete', '1', '2'])
  })

  it('are single characters where a script has no spaces', () => {
    expect(wordsOf('漢字と kana')).toEqual(['漢', '字', 'と', 'kana'])
  })

  it('have bounds: so many, and so long', () => {
    expect(wordsOf('a '.repeat(MAX_WORDS + 5))).toHaveLength(MAX_WORDS)
    expect(wordsOf('x'.repeat(500))[0]).toHaveLength(64)
    expect([...(wordsOf('𝔘𐐀'.repeat(300))[0] ?? '')]).toHaveLength(64)
  })

  it('are for any text only what both engines take as it is', () => {
    const text = fc.string({ unit: 'binary', maxLength: 300 })
    const quotes = /["“”„«»]/g
    fc.assert(
      fc.property(text, (any) => {
        expect(wordsOf(any).join('')).toMatch(/^[\p{L}\p{N}]*$/u)
        // Looked for by its own words, a text is found.
        const whole = any.replace(quotes, ' ')
        expect(termsOf(`"${whole}"`)[0]?.words ?? []).toEqual(wordsOf(whole))
      }),
    )
  })
})

describe('terms', () => {
  it('are words, phrases in quotes, and what is written in one', () => {
    expect(termsOf('retry "connection reset" src/a.ts ti')).toEqual([
      { words: ['retry'], prefix: false },
      { words: ['connection', 'reset'], prefix: false },
      { words: ['src', 'a', 'ts'], prefix: false },
      { words: ['ti'], prefix: true },
    ])
  })

  it('the last word goes on, unless it is quoted or one letter; what is no word counts for nothing', () => {
    expect(termsOf('wor -- 😀')).toEqual([{ words: ['wor'], prefix: true }])
    expect(termsOf('a')).toEqual([{ words: ['a'], prefix: false }])
    expect(termsOf('one "two')).toEqual([
      { words: ['one'], prefix: false },
      { words: ['two'], prefix: false },
    ])
    expect(termsOf('“two words”')).toEqual([{ words: ['two', 'words'], prefix: false }])
    expect(termsOf('" "" * ^ \0')).toEqual([])
  })
})

describe('an excerpt', () => {
  it('marks words where they stand, with what they go on with, phrases as one', () => {
    expect(marked('Über uber\nÜBERALL', 'uber')).toEqual(['Über', 'uber', 'ÜBERALL'])
    expect(marked('see src/store/sql.ts, not the store', 'src/store')).toEqual(['src/store'])
    expect(marked('e\u0301te\u0301 ends', 'été')).toEqual(['e\u0301te\u0301'])
    expect(marked('nothing here', 'else')).toEqual([])
  })

  it('is the part that has most of the terms, on one line', () => {
    const filler = 'lorem ipsum dolor '.repeat(40)
    const text = `${filler}alpha ${filler}\n\talpha\nbeta ${filler}`
    const { snippet, marks } = excerpt(text, termsOf('alpha beta'))
    expect(marks.map(([from, to]) => snippet.slice(from, to))).toEqual(['alpha', 'beta'])
    expect(snippet).toMatch(/^….* {2}alpha beta .*…$/)
    expect(snippet).not.toMatch(/\n/)
  })

  it('of any text and any words stays in bounds and marks what is asked for', () => {
    const text = fc.string({ unit: 'binary', maxLength: 2_000 })
    const word = fc.constantFrom('alpha', 'été', '漢字', 'a-b', 'x😀y')
    const mixed = fc.array(fc.oneof(text, word)).map((parts) => parts.join(' '))
    fc.assert(
      fc.property(mixed, word, (any, query) => {
        const { snippet, marks } = excerpt(any, termsOf(query))
        expect(snippet.length).toBeLessThanOrEqual(SNIPPET_CHARS + 2)
        let end = -1
        for (const [from, to] of marks) {
          expect(from).toBeGreaterThan(end)
          expect(to).toBeGreaterThan(from)
          expect(to).toBeLessThanOrEqual(snippet.length)
          end = to
        }
        if (any.split(' ').includes(query)) expect(marks.length).toBeGreaterThan(0)
      }),
    )
  })
})
