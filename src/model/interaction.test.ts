import { describe, expect, it } from 'vitest'
import { permission } from '../../test/support/session-log.ts'
import { allowance, carryAnswer, fingerprint, misfit, type Question, refusal } from './interaction.ts'

const diff = (newText: string, path = 'a.ts', oldText: string | null = 'old') => ({
  type: 'diff',
  path,
  oldText,
  newText,
})
const edit: Question = {
  ...permission,
  title: 'Edit a.ts',
  toolKind: 'edit',
  command: null,
  paths: ['a.ts', 'b.ts'],
  toolCall: { toolCallId: 't1', content: [diff('new'), diff('newer', 'b.ts')] },
}
const other: Question = {
  ...permission,
  title: 'Call deploy',
  toolKind: 'other',
  command: null,
  toolCall: { toolCallId: 't1', rawInput: { call_id: 'c1', to: { host: 'a', port: 1 } } },
}
const form: Question = {
  kind: 'form',
  title: 'Which port?',
  body: null,
  options: [],
  schema: { type: 'object', properties: { port: { type: 'number' } }, required: ['port'] },
  toolCallId: null,
  toolKind: null,
  paths: [],
  command: null,
}
const same = (a: Question, b: Question) => fingerprint('codex', a) === fingerprint('codex', b)

describe('I3: the same question asked again', () => {
  const table: [string, Question, Question][] = [
    ['with a new tool call id', permission, { ...permission, toolCallId: 't2', toolCall: { toolCallId: 't2' } }],
    ['with new option ids', permission, { ...permission, options: [{ id: '1', label: 'Ok', kind: 'allow_once' }] }],
    ['with another title for the same command', permission, { ...permission, title: 'npm test' }],
    [
      'with paths and diffs in another order',
      edit,
      {
        ...edit,
        paths: ['b.ts', 'a.ts'],
        toolCall: { toolCallId: 't2', content: [diff('newer', 'b.ts'), { type: 'text' }, null, diff('new')] },
      },
    ],
    [
      'with the input in another order and a new call id',
      other,
      {
        ...other,
        toolCall: { rawInput: { to: { port: 1, host: 'a' }, call_id: 'c2', none: undefined } },
      },
    ],
  ]
  it.each(table)('%s', (_, a, b) => expect(same(a, b)).toBe(true))
})

describe('I3: another question', () => {
  const table: [string, Question, Question][] = [
    ['another command', permission, { ...permission, command: 'npm test -- -u' }],
    ['another tool kind', permission, { ...permission, toolKind: 'other' }],
    ['another kind of question', permission, { ...permission, kind: 'choice' }],
    ['another path', edit, { ...edit, paths: ['a.ts'] }],
    ['other content', edit, { ...edit, toolCall: { content: [diff('new!'), diff('newer', 'b.ts')] } }],
    ['content of the same length', edit, { ...edit, toolCall: { content: [diff('wen'), diff('newer', 'b.ts')] } }],
    ['contents exchanged', edit, { ...edit, toolCall: { content: [diff('newer'), diff('new', 'b.ts')] } }],
    ['less content', edit, { ...edit, toolCall: { content: [diff('new')] } }],
    ['another title where that is all there is', other, { ...other, title: 'Call drop' }],
    ['other input of a tool', other, { ...other, toolCall: { rawInput: { to: { host: 'b', port: 1 } } } }],
    [
      'an input id that is no call id',
      { ...other, toolCall: { rawInput: { id: 1 } } },
      { ...other, toolCall: { rawInput: { id: 2 } } },
    ],
    ['another form under the same title', form, { ...form, schema: { ...(form.schema as object), required: [] } }],
  ]
  it.each(table)('%s', (_, a, b) => expect(same(a, b)).toBe(false))
  it('the same words of another agent', () => {
    expect(fingerprint('codex', permission)).not.toBe(fingerprint('qwen', permission))
  })
})

it('a tool call of any shape has a fingerprint', () => {
  let deep: unknown = 'x'
  for (let level = 0; level < 5_000; level += 1) deep = [deep]
  for (const toolCall of [
    null,
    'x',
    [],
    { content: 'x' },
    { content: [null, 1, { type: 'diff' }] },
    { rawInput: deep },
  ]) {
    expect(fingerprint('codex', { ...other, toolCall })).toBe(fingerprint('codex', { ...other, toolCall }))
  }
})

it('refusal prefers this once, allowance never is for ever', () => {
  const option = (kind: string) => ({ id: kind, label: kind, kind })
  const offering = (...kinds: string[]): Question => ({ ...permission, options: kinds.map(option) })
  expect(refusal(offering('allow_once', 'reject_always', 'reject_once'))?.id).toBe('reject_once')
  expect(refusal(offering('reject_always'))?.id).toBe('reject_always')
  expect(refusal(offering('allow_once', 'maybe'))).toBe(null)
  expect(allowance(offering('allow_always', 'allow_once'))?.id).toBe('allow_once')
  expect(allowance(offering('allow_always'))).toBe(null)
})

describe('an answer and its question', () => {
  const branch = { schema: { properties: { branch: { enum: ['main', 'dev'] } }, required: ['branch'] } }
  const options = ['main', 'dev'].map((id) => ({ id, label: id, kind: 'other' }))
  const oneField: Question = { ...form, ...branch, kind: 'choice', options }
  const fits: [Question, Parameters<typeof misfit>[1]][] = [
    [permission, { option: 'yes' }],
    [permission, { declined: true }],
    [form, { values: { port: 1 } }],
    [form, { declined: true }],
    [oneField, { values: { branch: 'main' } }],
    [oneField, { option: 'main' }],
    [{ ...form, schema: null }, { values: {} }],
  ]
  it.each(fits)('fits %#', (question, answer) => expect(misfit(question, answer)).toBe(null))
  it.each<[Question, Parameters<typeof misfit>[1], string]>([
    [permission, { option: 'maybe' }, '"maybe" is not one of: yes, no.'],
    [permission, { option: '' }, '"" is not one of: yes, no.'],
    [permission, { values: {} }, 'This question takes one of its options, not values.'],
    [oneField, { values: { branch: 'other' } }, '"other" is not one of: main, dev.'],
    [oneField, { values: { tag: 'main' } }, '"tag" is not a field: branch.'],
    [oneField, { values: {} }, 'These values are missing: branch.'],
    [form, { option: 'x' }, '"x" is not one of: (none; send values).'],
    [form, { values: {} }, 'These values are missing: port.'],
    [{ ...form, schema: { required: ['constructor'] } }, { values: {} }, 'These values are missing: constructor.'],
  ])('does not fit %#', (question, answer, reason) => expect(misfit(question, answer)).toBe(reason))
})

describe('I3: an answer carried over to the question asked again', () => {
  const offering = (...options: [string, string, string][]): Question => ({
    ...permission,
    options: options.map(([id, label, kind]) => ({ id, label, kind })),
  })
  it.each<[string, Question, string | null]>([
    ['the same options', permission, 'yes'],
    ['other ids', offering(['1', 'Yes', 'allow_once'], ['2', 'No', 'reject_once']), '1'],
    ['ids exchanged', offering(['no', 'Yes', 'allow_once'], ['yes', 'No', 'reject_once']), 'no'],
    ['other words for the one option of this kind', offering(['1', 'Go on', 'allow_once']), '1'],
    ['two of this kind, one with the words', offering(['1', 'A', 'allow_once'], ['2', 'Yes', 'allow_once']), '2'],
    ['two of this kind, none with the words', offering(['1', 'A', 'allow_once'], ['2', 'B', 'allow_once']), null],
    ['the id with another meaning', offering(['yes', 'Yes', 'allow_always']), null],
  ])('%s', (_, now, option) => {
    expect(carryAnswer({ option: 'yes' }, permission, now)).toEqual(option === null ? null : { option })
  })
  it('values and a refusal to answer stay what they are', () => {
    expect(carryAnswer({ values: { port: 1 } }, form, form)).toEqual({ values: { port: 1 } })
    expect(carryAnswer({ values: {} }, form, form)).toBe(null)
    expect(carryAnswer({ declined: true }, permission, permission)).toEqual({ declined: true })
    expect(carryAnswer({ option: 'gone' }, permission, permission)).toBe(null)
  })
})
