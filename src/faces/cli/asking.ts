import type { Answer, Interaction, Question } from '../../model/interaction.ts'
import type { LineReader } from './lines.ts'
import { badInput } from './problem.ts'
import { type Colors, clean, short } from './terminal.ts'

interface Field {
  readonly name: string
  readonly title: string
  readonly type: string
  readonly choices: readonly string[]
  readonly required: boolean
  readonly fallback: unknown
}

function fieldsOf(schema: unknown): Field[] {
  const { properties, required } = (schema ?? {}) as { properties?: Record<string, unknown>; required?: unknown }
  const must = Array.isArray(required) ? required : []
  return Object.entries(properties ?? {}).map(([name, raw]) => {
    const property = (raw ?? {}) as Record<string, unknown>
    return {
      name,
      title: typeof property.title === 'string' ? property.title : name,
      type: typeof property.type === 'string' ? property.type : 'string',
      choices: Array.isArray(property.enum) ? property.enum.map(String) : [],
      required: must.includes(name),
      fallback: property.default,
    }
  })
}

export function questionLines(question: Question, color: Colors): string[] {
  const lines: string[] = []
  if (question.command) lines.push(`    ${color.bold(clean(question.command))}`)
  for (const path of question.paths) lines.push(`    ${clean(path)}`)
  if (question.body)
    lines.push(
      ...clean(question.body)
        .split('\n')
        .map((line) => `    ${line}`),
    )
  question.options.forEach((option, at) => {
    lines.push(`  ${color.bold(String(at + 1))} ${short(option.label, 120)} ${color.dim(`(${short(option.id, 60)})`)}`)
  })
  for (const field of question.kind === 'form' ? fieldsOf(question.schema) : []) lines.push(`  ${fieldWords(field)}`)
  return lines
}

export function howToAnswer({ id, question }: Pick<Interaction, 'id' | 'question'>): string {
  if (question.kind === 'form') return `carrel answer ${id} --values '{"name": "value"}'`
  return `carrel answer ${id} ${question.options[0] ? '1' : '--decline'}`
}

/** Finds an option by id, number or label. @throws bad_input with the offered options */
export function chooseOption(question: Question, text: string): Answer {
  const wanted = text.trim()
  const folded = wanted.toLowerCase()
  const { options } = question
  const option =
    options.find(({ id }) => id === wanted) ??
    (/^\d+$/.test(wanted) ? options[Number(wanted) - 1] : undefined) ??
    options.find(({ label, id }) => label.toLowerCase() === folded || id.toLowerCase() === folded)
  if (option) return { option: option.id }
  const offered = options.map(({ id, label }, at) => `${at + 1} ${label} (${id})`).join(', ')
  throw badInput(
    offered
      ? `${JSON.stringify(text)} is not an option. Options: ${offered}.`
      : `This question takes values, not an option. Use --values '{"name": "value"}'.`,
    { options },
  )
}

/**
 * Asks a person at the terminal until the answer is valid.
 * @returns null when the input ended, or when `signal` aborted after an answer from elsewhere
 */
export async function askPerson(lines: LineReader, question: Question, signal: AbortSignal): Promise<Answer | null> {
  if (question.kind === 'form') return askForm(lines, question, signal)
  for (let again = ''; ; again = 'Not an option. ') {
    const line = await lines.ask(`${again}Your answer (1-${question.options.length}, d to skip): `, signal)
    if (line === null) return null
    if (line.trim() === 'd') return { declined: true }
    if (line.trim() === '') continue
    try {
      return chooseOption(question, line)
    } catch {}
  }
}

async function askForm(lines: LineReader, { schema }: Question, signal: AbortSignal): Promise<Answer | null> {
  const values: Record<string, unknown> = {}
  for (const field of fieldsOf(schema)) {
    for (;;) {
      const line = await lines.ask(`${fieldWords(field)} (. to skip the question): `, signal)
      if (line === null) return null
      if (line.trim() === '.') return { declined: true }
      const value = line.trim() === '' ? field.fallback : fieldValue(field, line.trim())
      if (value === undefined && (field.required || line.trim() !== '')) continue
      if (value !== undefined) values[field.name] = value
      break
    }
  }
  return { values }
}

function fieldWords({ title, name, type, choices, required, fallback }: Field): string {
  const kind = choices.length > 0 ? choices.join(' | ') : type
  const preset = fallback === undefined ? '' : `, default ${JSON.stringify(fallback)}`
  return clean(`${title === name ? name : `${title} [${name}]`}: ${kind}${required ? '' : ' (optional)'}${preset}`)
}

function fieldValue({ type, choices }: Field, text: string): unknown {
  if (choices.length > 0) return choices.find((choice) => choice === text) ?? choices[Number(text) - 1]
  if (type === 'boolean')
    return /^(y|yes|true|1)$/i.test(text) ? true : /^(n|no|false|0)$/i.test(text) ? false : undefined
  if (type !== 'number' && type !== 'integer') return text
  const number = Number(text)
  return Number.isFinite(number) && (type === 'number' || Number.isInteger(number)) ? number : undefined
}
