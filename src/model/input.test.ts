import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readInput } from './input.ts'

const Request = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('restore'), to: z.number() }),
  z.object({ kind: z.literal('undo'), of: z.object({ run: z.string() }) }),
])
const Shape = z.object({
  folder: z.string().optional(),
  name: z.string().default('x'),
  request: Request.nullable().optional(),
  blocks: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]).optional(),
  limits: z.record(z.string(), z.object({ bytes: z.number() })).optional(),
  flag: z
    .object({ on: z.boolean() })
    .transform(({ on }) => on)
    .optional(),
})

const problemsOf = (input: unknown): unknown => {
  try {
    return readInput(Shape, input)
  } catch (thrown) {
    return (thrown as { data: { problems: unknown } }).data.problems
  }
}

describe('an input', () => {
  it.each([
    [{ fodler: '/x' }, 'fodler', 'folder'],
    [{ Folder: '/x' }, 'Folder', 'folder'],
    [{ request: { kind: 'restore', ot: 1 } }, 'request.ot', 'to'],
    [{ request: { kind: 'restore', to: 1, of: { run: 'r' } } }, 'request.of', 'to'],
    [{ request: { kind: 'undo', of: { run: 'r', runs: 1 } } }, 'request.of.runs', 'run'],
    [{ limits: { a: { bytes: 1 }, b: { byte: 1 } } }, 'limits.b.byte', 'bytes'],
    [{ flag: { on: true, off: true } }, 'flag.off', 'on'],
    [JSON.parse('{"__proto__": 1}'), '__proto__', undefined],
    [{ constructor: 1 }, 'constructor', undefined],
  ])('%j is refused with its unknown field and the nearest known one', (input, field, nearest) => {
    expect(problemsOf(input)).toEqual([
      { field, problem: expect.stringContaining('not known'), nearest: nearest ?? expect.any(String) },
    ])
  })

  it.each([
    [{}, { name: 'x' }],
    [{ fodler: undefined }, { name: 'x' }],
    [{ blocks: 'text' }, { name: 'x', blocks: 'text' }],
    [{ blocks: [{ type: 'text', more: 1 }] }, { name: 'x', blocks: [{ type: 'text', more: 1 }] }],
    [{ request: null }, { name: 'x', request: null }],
  ])('%j is taken', (input, parsed) => {
    expect(problemsOf(input)).toEqual(parsed)
  })

  it('with a misspelled field says so, and not that another one is missing', () => {
    const read = () => readInput(z.object({ project: z.string() }), { proejct: 'p' })
    expect(read).toThrow('`proejct`: This field is not known. Did you mean `project`?')
  })

  it('without any similar field names all known ones', () => {
    expect(() => readInput(Shape.pick({ folder: true, name: true }), { bogus: 1 })).toThrow(
      '`bogus`: This field is not known. Known fields: `folder`, `name`.',
    )
    expect(() => readInput(z.object({}), { bogus: 1 })).toThrow(
      '`bogus`: This field is not known, and none is expected',
    )
  })

  it('with a wrong value names its field', () => {
    expect(problemsOf({ request: { kind: 'undo', of: { run: 1 } } })).toEqual([
      { field: 'request.of.run', problem: expect.any(String) },
    ])
  })
})
