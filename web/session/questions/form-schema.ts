import { texts } from '../../texts/texts.ts'

const labels = texts.question.form

/** One field of a form, from a JSON schema. A shape without a matching field is typed as JSON. */
export interface FormField {
  readonly name: string
  readonly label: string
  readonly note: string
  readonly kind: 'text' | 'number' | 'integer' | 'boolean' | 'enum' | 'several' | 'json'
  readonly required: boolean
  readonly choices: readonly { readonly value: string; readonly label: string }[]
  readonly initial: FieldValue
  readonly schema: Readonly<Record<string, unknown>>
}

/** The content of a field: a text, a checkbox, or several choices. */
export type FieldValue = string | boolean | readonly string[]

const record = (value: unknown): Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {}

export function fieldsOf(schema: unknown): FormField[] {
  const { properties, required } = record(schema)
  const needed = Array.isArray(required) ? required.map(String) : []
  return Object.entries(record(properties)).map(([name, raw]) => {
    const field = record(raw)
    const kind = kindOf(field)
    return {
      name,
      label: typeof field.title === 'string' ? field.title : name,
      note: typeof field.description === 'string' ? field.description : '',
      kind,
      required: needed.includes(name),
      choices: choicesOf(kind === 'several' ? record(field.items) : field),
      initial: initialOf(kind, field.default),
      schema: field,
    }
  })
}

function kindOf(field: Record<string, unknown>): FormField['kind'] {
  if (field.type === 'array') return choicesOf(record(field.items)).length > 0 ? 'several' : 'json'
  if (choicesOf(field).length > 0) return 'enum'
  if (field.type === 'boolean' || field.type === 'number' || field.type === 'integer') return field.type
  return field.type === 'object' ? 'json' : 'text'
}

function choicesOf(field: Record<string, unknown>): FormField['choices'] {
  const titled = [field.oneOf, field.anyOf].find(Array.isArray)
  if (titled) {
    const options = titled.map(record).filter((option) => 'const' in option)
    return options.map((option) => ({ value: String(option.const), label: String(option.title ?? option.const) }))
  }
  if (!Array.isArray(field.enum)) return []
  const names = Array.isArray(field.enumNames) ? field.enumNames : []
  return field.enum.map((value, at) => ({ value: String(value), label: String(names[at] ?? value) }))
}

function initialOf(kind: FormField['kind'], given: unknown): FieldValue {
  if (kind === 'boolean') return given === true
  if (kind === 'several') return Array.isArray(given) ? given.map(String) : []
  if (given === undefined || given === null) return ''
  return kind === 'json' ? JSON.stringify(given) : String(given)
}

export type Read = { readonly value: unknown } | { readonly problem: string }

/** Returns the value of a field, or the error that prevents it. `value: undefined` means that the field is empty. */
export function readField(field: FormField, given: FieldValue): Read {
  if (field.kind === 'boolean') return { value: given === true }
  if (field.kind === 'several') return readSeveral(field, given as readonly string[])
  const text = String(given)
  if (text.trim() === '') return field.required ? { problem: labels.needed } : { value: undefined }
  if (field.kind === 'number' || field.kind === 'integer') return readNumber(field, text)
  if (field.kind === 'json') return readJson(text)
  return readText(field, text)
}

function readSeveral({ schema, required }: FormField, chosen: readonly string[]): Read {
  const { minItems, maxItems } = schema
  const least = Math.max(Number(minItems ?? 0), required ? 1 : 0)
  if (chosen.length < least) return { problem: labels.chooseAtLeast(least) }
  if (typeof maxItems === 'number' && chosen.length > maxItems) return { problem: labels.chooseAtMost(maxItems) }
  return { value: chosen }
}

function readNumber({ kind, schema }: FormField, text: string): Read {
  const value = Number(text)
  const { minimum, maximum } = schema
  if (!Number.isFinite(value)) return { problem: labels.number }
  if (kind === 'integer' && !Number.isInteger(value)) return { problem: labels.integer }
  if (typeof minimum === 'number' && value < minimum) return { problem: labels.atLeast(minimum) }
  if (typeof maximum === 'number' && value > maximum) return { problem: labels.atMost(maximum) }
  return { value }
}

function readJson(text: string): Read {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return { problem: labels.json }
  }
}

function readText({ schema, choices }: FormField, text: string): Read {
  const { minLength, maxLength, format, pattern } = schema
  if (choices.length > 0) {
    const original = Array.isArray(schema.enum) ? schema.enum.find((value) => String(value) === text) : undefined
    return { value: original ?? text }
  }
  if (typeof minLength === 'number' && text.length < minLength) return { problem: labels.longer(minLength) }
  if (typeof maxLength === 'number' && text.length > maxLength) return { problem: labels.shorter(maxLength) }
  if (format === 'email' && !/^\S+@\S+\.\S+$/.test(text)) return { problem: labels.email }
  if (format === 'uri' && !URL.canParse(text)) return { problem: labels.address }
  if (typeof pattern === 'string' && !matches(text, pattern)) return { problem: labels.pattern(pattern) }
  return { value: text }
}

/** An invalid pattern accepts everything: the agent will check the value. */
function matches(text: string, pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(text)
  } catch {
    return true
  }
}
