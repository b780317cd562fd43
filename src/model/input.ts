import { z } from 'zod'
import { CarrelError } from './errors.ts'

/** One thing wrong with an input. `data.problems` of a `bad_input` is a list of these, the first in the message. */
export interface InputProblem {
  /** Path into the input, such as `settings.variables`; empty for the input as a whole. */
  readonly field: string
  readonly problem: string
  /** For a field that is not known: the known field beside it with the most similar name. */
  readonly nearest?: string
}

/**
 * Validates an input from outside and applies its defaults. A field that no schema knows is refused: ignored input looks
 * like accepted input. Fields without a value (`undefined`) count as absent.
 * @throws bad_input with `data.problems`
 */
export function readInput<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const [first, ...more] = unknownFields(schema, input, [])
  if (first) throw badInput([first, ...more])
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  throw badInput(problemsOf(parsed.error))
}

export const problemsOf = ({ issues }: z.ZodError): InputProblem[] =>
  issues.map(({ path, message }) => ({ field: path.join('.'), problem: message }))

export function badInput(problems: readonly InputProblem[]): CarrelError {
  const [first] = problems
  const where = first?.field ? `\`${first.field}\`: ` : ''
  const message = `${where}${first?.problem ?? 'The input does not have the shape asked for.'}`
  return new CarrelError('bad_input', message, { problems })
}

type Path = readonly (string | number)[]

/** Finds the fields of a value that its schema would drop, at any depth. */
function unknownFields(schema: z.core.$ZodType, value: unknown, path: Path): InputProblem[] {
  const { def } = (schema as z.core.$ZodTypes)._zod
  switch (def.type) {
    case 'object':
      return isRecord(value) ? unknownInObject(def, value, path) : []
    case 'array':
      return Array.isArray(value) ? value.flatMap((each, n) => unknownFields(def.element, each, [...path, n])) : []
    case 'record':
      return isRecord(value)
        ? Object.entries(value).flatMap(([key, each]) => unknownFields(def.valueType, each, [...path, key]))
        : []
    case 'union':
      return unknownInUnion(def.options, value, path)
    case 'optional':
    case 'nullable':
    case 'default':
    case 'readonly':
      return unknownFields(def.innerType, value, path)
    case 'pipe':
      return unknownFields(def.in, value, path)
    default:
      return []
  }
}

function unknownInObject(def: z.core.$ZodObjectDef, value: Record<string, unknown>, path: Path): InputProblem[] {
  const known = Object.keys(def.shape)
  const open = def.catchall !== undefined && def.catchall._zod.def.type !== 'never'
  return Object.entries(value).flatMap(([key, each]) => {
    if (each === undefined) return []
    const field = [...path, key]
    const shape = Object.hasOwn(def.shape, key) ? def.shape[key] : undefined
    if (shape) return unknownFields(shape, each, field)
    return open ? [] : [unknownField(field.join('.'), key, known)]
  })
}

/** Of a union, the option that fits the value best decides which fields are known. */
function unknownInUnion(options: readonly z.core.$ZodType[], value: unknown, path: Path): InputProblem[] {
  const accepting = options.filter((option) => z.safeParse(option, value).success)
  const meant = accepting.length > 0 ? accepting : options.filter((option) => isKindOf(option, value))
  const found = meant.map((option) => unknownFields(option, value, path))
  return found.sort((a, b) => a.length - b.length)[0] ?? []
}

/** Whether the fields with one permitted value, such as `kind`, have that value. */
function isKindOf(schema: z.core.$ZodType, value: unknown): boolean {
  const { def } = (schema as z.core.$ZodTypes)._zod
  if (def.type !== 'object' || !isRecord(value)) return false
  const fixed = Object.entries(def.shape).filter(([, each]) => each._zod.def.type === 'literal')
  return fixed.every(([key, each]) => z.safeParse(each, value[key]).success)
}

function unknownField(field: string, key: string, known: readonly string[]): InputProblem {
  const nearest = nearestOf(key, known)
  if (nearest === undefined) return { field, problem: 'This field is not known, and none is expected here.' }
  const near = distance(key, nearest) <= Math.max(2, key.length / 2)
  const names = known.map((each) => `\`${each}\``).join(', ')
  const next = near ? `Did you mean \`${nearest}\`?` : `Known fields: ${names}.`
  return { field, problem: `This field is not known. ${next}`, nearest }
}

const nearestOf = (name: string, names: readonly string[]): string | undefined =>
  [...names].sort((a, b) => distance(name, a) - distance(name, b))[0]

/** Number of inserted, removed and replaced characters between two names, in any case. Long names are cut. */
function distance(one: string, other: string): number {
  const [a, b] = [one, other].map((each) => each.toLowerCase().slice(0, 64)) as [string, string]
  let row = Array.from({ length: b.length + 1 }, (_, n) => n)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
