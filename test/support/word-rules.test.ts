import { describe, expect, it } from 'vitest'
import { checkWords, complaintsOf, sentencesOf } from './word-rules.ts'

describe('a sentence is not plain English when', () => {
  it.each([
    ['What a run has changed.', /begins with "What"/],
    ['Whoever holds the lease writes.', /begins with "Whoever"/],
    ['It ends with the run.', /begins with "It"/],
    ['Those that wait are in order.', /begins with "Those"/],
    ['So the lease is lost.', /begins with "So"/],
    ['The caller is told which.', /"is told"/],
    ['The folder of whoever asks.', /"whoever"/],
    ['The amount may be left out.', /optional/],
    ['Twelve is no size.', /"is no size"/],
  ])('%s', (sentence, why) => {
    expect(complaintsOf(sentence).join()).toMatch(why)
  })

  it.each([
    'What should happen with the folder?',
    'Its lease ends with the run.',
    'Sources start sources.',
    'A lease that is lost stops the run.',
  ])('a sentence may stand: %s', (sentence) => {
    expect(complaintsOf(sentence)).toEqual([])
  })
})

it('sentences end at a full stop before a capital letter, not inside of code', () => {
  expect(sentencesOf('Reads `a.b. C` once. Then it ends. e.g. this stays')).toEqual([
    'Reads `a_b_ C` once.',
    'Then it ends. e.g. this stays',
  ])
})

describe('checkWords finds complaints', () => {
  it('in comments that follow each other, docstrings with tags, and texts', () => {
    const source = [
      '/**',
      ' * Returns the run.',
      ' * @throws What is wrong.',
      ' */',
      '// The first line',
      '// goes on. It ends here.',
      "export const text = 'Whoever asks is first.'",
      "export const key = 'What'",
      'export const long = `It is ${text} now.`',
    ].join('\n')
    expect(checkWords('a.ts', source).map((one) => one.replace(/: .*/, ''))).toEqual([
      'a.ts:1',
      'a.ts:5',
      'a.ts:7',
      'a.ts:7',
      'a.ts:9',
    ])
  })

  it('in Markdown: paragraphs, lists, tables and headings, not in code', () => {
    const text = ['# What is it', '- It is so.', '| What | Plain |', '|---|---|', '```', 'It is code', '```'].join('\n')
    expect(checkWords('a.md', text).map((one) => one.replace(/: .*/, ''))).toEqual(['a.md:1', 'a.md:2', 'a.md:3'])
  })
})
