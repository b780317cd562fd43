import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Outcome } from '../events/events.ts'
import { createOutcomeMask } from '../events/mask-outcomes.ts'
import { createMask, markOf, NO_MASK } from './mask.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

describe('a mask', () => {
  const value = 'hunter2"\n/+ü very secret'
  const mask = createMask([{ name: 'TOKEN', value }])

  it.each([
    ['as it is', value],
    ['escaped as JSON', JSON.stringify({ value })],
    ['escaped as JSON in JSON', JSON.stringify({ args: JSON.stringify({ value }) })],
    ['in an address', `https://x.test/?t=${encodeURIComponent(value)}`],
    ['in an address, in small letters', encodeURIComponent(value).replace(/%../g, (code) => code.toLowerCase())],
    ['in a form', new URLSearchParams({ value }).toString()],
    ['in base64', base64(value)],
    ['in base64 behind one byte', base64(`a${value}`)],
    ['in base64 between others', base64(`user:${value}:more`)],
    ['in base64 of an address', Buffer.from(`id:${value}`).toString('base64url')],
  ])('B3: finds a value %s', (_how, text) => {
    const masked = mask.text(`before ${text} behind`)
    expect(masked).toContain('[secret TOKEN]')
    expect(masked).toMatch(/^before .* behind$/)
    expect(masked).not.toContain('hunter2')
    expect(masked).not.toContain(base64(value).slice(4, 20))
  })

  it('B3: hides each line of a value with several lines', () => {
    const key = '-----BEGIN KEY-----\nMIIEvgIBADANBgkqhkiG9w0B\nAQEFAASCBKgwggSkAgEAAoIB\n-----END KEY-----'
    const masked = createMask([{ name: 'KEY', value: key }]).text(
      `line 2: ${key.split('\n')[1]}, ${key.split('\n')[2]}`,
    )
    expect(masked).toBe('line 2: [secret KEY], [secret KEY]')
  })

  it('B3: a text keeps its lines where a value has several', () => {
    const mask = createMask([{ name: 'KEY', value: 'first-line\nsecond-line\r\nthird-line' }])
    expect(mask.lines('a\nfirst-line\nsecond-line\r\nthird-line\nb')).toBe(
      'a\n[secret KEY]\n[secret KEY]\r\n[secret KEY]\nb',
    )
    expect(mask.lines('nothing\nin it')).toBe('nothing\nin it')
  })

  it('B3: values that overlap are hidden together, the longest of those that begin alike', () => {
    const both = createMask([
      { name: 'A', value: 'abcdefgh' },
      { name: 'B', value: 'efghijkl' },
      { name: 'C', value: 'abcdefghijklmnop' },
    ])
    expect(both.text('-abcdefghijkl-')).toBe('-[secret A]-')
    expect(both.text('-abcdefghijklmnop-')).toBe('-[secret C]-')
    expect(both.text('abcdefghabcdefgh')).toBe('[secret A][secret A]')
  })

  it('B3: what is shorter than six characters hides nothing, and a mask without values is one check', () => {
    expect(createMask([{ name: 'SHORT', value: 'true' }])).toBe(NO_MASK)
    expect(createMask([])).toBe(NO_MASK)
  })

  it('B3: keys and texts at any depth; what holds nothing stays the very same value', () => {
    const plain = { a: [1, { b: 'text' }], c: null }
    expect(mask.value(plain)).toBe(plain)
    expect(mask.value({ [value]: [{ deep: `x${value}` }] })).toEqual({
      '[secret TOKEN]': [{ deep: 'x[secret TOKEN]' }],
    })
  })

  it('B3: the beginning of a value at the end of an output that still grows is hidden', () => {
    const one = createMask([{ name: 'ONE', value: 'abcdefghijkl' }])
    expect(one.growing('out: abcdefgh')).toBe('out: …')
    expect(one.growing('out: abc')).toBe('out: abc')
    expect(one.growing('out: abcdefghijkl')).toBe('out: [secret ONE]')
  })
})

const said = (text: string, kind = 'agent_message_chunk', messageId?: string): Outcome => ({
  type: 'agent.update',
  data: {
    acp: 1,
    agent: 'scripted',
    update: { sessionUpdate: kind, content: { type: 'text', text }, ...(messageId && { messageId }) },
  },
})
const other = (update: object): Outcome => ({ type: 'agent.update', data: { acp: 1, agent: 'scripted', update } })
const textsOf = (outcomes: readonly Outcome[]) =>
  outcomes.map(
    (outcome) => (outcome as { data: { update: { content?: { text?: string } } } }).data.update.content?.text,
  )

describe('what a holder records', () => {
  const SECRET = { name: 'CANARY', value: 'correct-horse-battery' }
  const open = () => createOutcomeMask(() => createMask([SECRET]))
  const run = (outcomes: Outcome[]) => {
    const mask = open()
    return [...outcomes.flatMap((outcome) => mask.take(outcome)), ...mask.rest()]
  }

  it('B3: a value in the pieces of a message is hidden, also when something unseen comes in between', () => {
    const usage = other({ sessionUpdate: 'usage_update', used: 1, size: 2 })
    const all = run([said('it is correct-ho'), usage, said('rse-bat'), said('tery!')])
    expect(textsOf(all)).toEqual(['it is ', undefined, '[secret CANARY]!'])
  })

  it('B3: what is held back comes before whatever ends its message', () => {
    const tool = other({ sessionUpdate: 'tool_call', toolCallId: 't', title: 'look', status: 'pending' })
    expect(textsOf(run([said('a corr'), tool, said('ect')]))).toEqual(['a ', 'corr', undefined, 'ect'])
    expect(textsOf(run([said('a corr'), said('ect', 'agent_thought_chunk')]))).toEqual(['a ', 'corr', 'ect'])
    expect(textsOf(run([said('a corr', undefined, '1'), said('ect', undefined, '2')]))).toEqual(['a ', 'corr', 'ect'])
    expect(textsOf(run([said('a corr'), said('al reef')]))).toEqual(['a ', 'corral reef'])
  })

  it('B3: outputs, errors and questions hold no value either', () => {
    const tool = (content: string, status: string) =>
      other({ sessionUpdate: 'tool_call_update', toolCallId: 't', status, content: [{ text: content }] })
    const text = JSON.stringify(
      run([tool('correct-horse-bat', 'in_progress'), tool(`x ${SECRET.value}`, 'completed'), ENDED]),
    )
    expect(text).not.toContain('correct-horse')
    expect(text).toContain('x [secret CANARY]')
    expect(text).toContain('stderr: [secret CANARY]')
  })
})

const ENDED: Outcome = {
  type: 'run.ended',
  data: {
    run: `run_${'0'.repeat(26)}` as never,
    outcome: 'failed',
    stopReason: null,
    usage: null,
    error: { message: 'It failed.', stderr: 'stderr: correct-horse-battery', next: null },
    halfDone: [],
  },
}

/** Random texts of few letters, so that beginnings of values are everywhere. */
const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'é', '"', ' '), maxLength: 40 })
const values = fc.uniqueArray(
  fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'é', '"'), minLength: 6, maxLength: 14 }),
  {
    minLength: 1,
    maxLength: 5,
  },
)

describe('a stream cut anywhere', () => {
  it('B3: no value survives, and a text without values comes through unchanged and in order', () => {
    fc.assert(
      fc.property(
        values,
        fc.array(fc.tuple(letters, fc.nat()), { maxLength: 8 }),
        fc.infiniteStream(fc.nat(9)),
        (known, parts, cuts) => {
          const secrets = known.map((value, index) => ({ name: `S${index}`, value }))
          const text = parts.map(([plain, pick]) => plain + (pick % 3 === 0 ? known[pick % known.length] : '')).join('')
          const mask = createOutcomeMask(() => createMask(secrets))
          const pieces = chop(text, cuts)
          const out = [...pieces.flatMap((piece) => mask.take(said(piece))), ...mask.rest()]
          const told = textsOf(out).join('')
          for (const { value } of secrets) expect(told).not.toContain(value)
          expect(told).toBe(createMask(secrets).text(text))
          if (!secrets.some(({ value }) => createMask([{ name: 'X', value }]).text(text) !== text))
            expect(told).toBe(text)
          // The text between the marks is the original text, in order.
          expect(
            covers(
              text,
              told,
              secrets.map(({ name }) => markOf(name)),
            ),
          ).toBe(true)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('B3: a hundred kilobytes with fifty values take no more steps than a look at each place', () => {
    const secrets = Array.from({ length: 50 }, (_, index) => ({
      name: `S${index}`,
      value: base64(`${index}-canary-${index * 7_919}`),
    }))
    const mask = createMask(secrets)
    const noise = Array.from({ length: 5_000 }, (_, index) => `line ${index} nothing here `).join('')
    expect(mask.text(noise)).toBe(noise)
    expect(mask.text(noise + secrets[49]?.value)).toBe(`${noise}[secret S49]`)
  })
})

function chop(text: string, cuts: Iterable<number>): string[] {
  const pieces: string[] = []
  let at = 0
  for (const cut of cuts) {
    if (at >= text.length) break
    pieces.push(text.slice(at, at + cut))
    at += cut
  }
  return pieces
}

function covers(text: string, told: string, marks: readonly string[]): boolean {
  let at = 0
  for (const part of told.split(new RegExp(marks.map((mark) => mark.replace(/[[\]]/g, '\\$&')).join('|')))) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return true
}
