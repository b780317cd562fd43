import { expect, it } from 'vitest'
import { checkDocument } from './doc-rules.ts'

const LONG = 'word '.repeat(33)

it.each([
  ['a sentence', 'Carrel keeps a log.', []],
  ['two sentences', 'Carrel keeps a log. Nobody goes round it.', ['two']],
  ['a question and its answer', '- Is it safe? Yes.', ['two']],
  ['a sentence in quotation marks before another one', 'The page says "stop." Then it ends.', ['two']],
  ['two sentences on two lines', '1. Carrel keeps a log.\n   Nobody goes round it.', []],
  ['the number of a step', '**1. The row**, in a file:', []],
  ['an abbreviation', 'A file, e.g. one of git, and 3. of May.', []],
  ['a full stop in code', 'The file `a.b. C` is there.', []],
  ['a long line', LONG, ['characters']],
  ['a long row of a table', `| ${LONG} |`, []],
  ['a long heading', `# ${LONG}`, []],
  ['a long line of fenced code', `\`\`\`\n${LONG}\n\`\`\``, []],
  ['a long line of indented code', `Type this:\n\n    ${LONG}\n    ${LONG}`, []],
  ['indented code below a heading', `## In short\n    ${LONG}`, []],
  ['a long line of a list within a list', `- one\n  - two\n    ${LONG}`, ['characters']],
])('%s', (_name, text, wanted) => {
  const found = checkDocument('docs/a.md', text)
  expect(found).toHaveLength(wanted.length)
  for (const [index, word] of wanted.entries()) expect(found[index]).toContain(word)
})

it('a complaint names the file and the line', () => {
  expect(checkDocument('docs/a.md', 'One.\n\nTwo. Three.')).toEqual([
    'docs/a.md:3: the line holds two sentences; give each its own.',
  ])
})
