import { expect, it } from 'vitest'
import { InteractionId, PromptId } from '../ids.ts'
import { itemText, SEARCHED_CHARS, SEARCHED_OUTPUT_CHARS } from './item-text.ts'
import type { Item, ToolItem } from './items.ts'

const base = { n: 1, seq: 1, at: 1, run: null }
const TOOL: ToolItem = {
  ...base,
  kind: 'tool',
  toolCallId: 'call-id',
  title: 'Run tests',
  toolKind: 'execute',
  status: 'completed',
  content: [],
  locations: [],
  clippedBytes: 0,
  ruled: null,
  startedAt: 1,
  endedAt: 2,
}

it('what was asked, with what was attached to it', () => {
  const run: Item = {
    ...base,
    kind: 'run',
    prompt: PromptId.parse(`pmt_${'0'.repeat(26)}`),
    content: [
      { type: 'text', text: 'mend it' },
      { type: 'resource_link', uri: 'file:///a/b.ts', name: 'b.ts' },
      { type: 'resource', resource: { uri: 'file:///c', text: 'inside' } },
      { type: 'image', data: 'AAAA', mimeType: 'image/png' },
    ],
    by: null,
    agent: 'agent-name',
    state: 'ended',
    outcome: 'failed',
    stopReason: null,
    startedAt: 1,
    endedAt: 2,
    usage: null,
    error: { message: 'It broke.', stderr: 'trace', next: null },
    halfDone: [],
  }
  expect(itemText(run)).toBe('mend it\nb.ts\nfile:///c\ninside\nIt broke.')
})

it('messages, thoughts, notices and plans are their words; what is not known has none', () => {
  const message: Item = { ...base, kind: 'message', role: 'agent', text: 'said', blocks: [null, 3], continues: false }
  expect(itemText(message)).toBe('said')
  expect(itemText({ ...base, kind: 'thought', text: 'hm', continues: false, endedAt: null })).toBe('hm')
  expect(itemText({ ...base, kind: 'notice', level: 'info', text: 'note', data: 'secret' })).toBe('note')
  const entries = ['one', 'two'].map((content) => ({ content, priority: 'high', status: 'pending' }))
  expect(itemText({ ...base, kind: 'plan', entries })).toBe('one\ntwo')
  expect(itemText({ ...base, kind: 'raw', name: 'x', update: { text: 'y' } })).toBe('')
})

it('a tool call is its title, command, paths and what it gave back, not the files it changed', () => {
  const text = itemText({
    ...TOOL,
    rawInput: { command: ['npm', 'test'] },
    locations: [{ path: '/w/a.ts' }, { path: '/w/a.ts' }],
    content: [
      { type: 'content', content: { type: 'text', text: '3 passed' } },
      { type: 'diff', path: '/w/b.ts', oldText: 'before', newText: 'after' },
      { type: 'terminal', terminalId: 't' },
      'nonsense',
      null,
    ],
    rawOutput: { stdout: 'not shown twice' },
  })
  expect(text).toBe('Run tests\nnpm test\n/w/a.ts\n/w/b.ts\n3 passed')
})

it('a raw output counts where there is no other, whatever its shape', () => {
  expect(itemText({ ...TOOL, rawOutput: 'plain' })).toBe('Run tests\nplain')
  const rawOutput = { status: 'ok', result: { stdout: 'hello there', lines: ['one line'] }, code: 0 }
  expect(itemText({ ...TOOL, rawInput: 'x', rawOutput })).toBe('Run tests\nhello there\none line')
})

it('a question is what the person read', () => {
  const question = {
    kind: 'permission' as const,
    title: 'May I?',
    body: 'Because.',
    options: [{ id: 'yes', label: 'Yes', kind: 'allow_once' }],
    toolCallId: null,
    toolKind: null,
    paths: ['/w/a'],
    command: 'rm a',
  }
  const item: Item = {
    ...base,
    kind: 'question',
    interaction: InteractionId.parse(`int_${'0'.repeat(26)}`),
    agent: 'a',
    state: 'open',
    question,
    expiresAt: null,
    answer: null,
    answeredBy: null,
    answeredAt: null,
    used: false,
  }
  expect(itemText(item)).toBe('May I?\nBecause.\nrm a\n/w/a')
})

it('long texts keep their beginning and end', () => {
  const output = `first ${'x '.repeat(SEARCHED_CHARS)} last`
  const text = itemText({ ...TOOL, rawOutput: output })
  expect(text.length).toBeLessThan(SEARCHED_OUTPUT_CHARS + 100)
  expect(text).toMatch(/^Run tests\nfirst .* last$/s)
  const message: Item = { ...base, kind: 'message', role: 'agent', text: output, blocks: [], continues: false }
  expect(itemText(message).length).toBeLessThan(SEARCHED_CHARS + 100)
})
