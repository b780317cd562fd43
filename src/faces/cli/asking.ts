import type { Answer, Interaction, Question } from '../../model/interaction.ts'
import type { Lines } from './lines.ts'
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

/** The fields of a form, from its JSON schema; what the schema does not say is taken as text. */
function fieldsOf(schema: unknown): Field[] {
  const { properties, required } = (schema ?? {}) as { properties?: Record<string, unknown>; required?: unknown }
  const must = Array.isArray(required) ? required : []
  return Object.entries(properties ?? {}).map(([name, raw]) => {
    const said = (raw ?? {}) as Record<string, unknown>
    return {
      name,
      title: typeof said.title === 'string' ? said.title : name,
      type: typeof said.type === 'string' ? said.type : 'string',
      choices: Array.isArray(said.enum) ? said.enum.map(String) : [],
      required: must.includes(name),
      fallback: said.default,
    }
  })
}

/** What a person needs to see in order to decide: the act, its paths, its command, and the options with numbers. */
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

/** The command that answers a question from any other terminal. */
export function howToAnswer({ id, question }: Pick<Interaction, 'id' | 'question'>): string {
  if (question.kind === 'form') return `carrel answer ${id} --values '{"name": "value"}'`
  return `carrel answer ${id} ${question.options[0] ? '1' : '--decline'}`
}

/** Finds the option that a person means: by id, by number, or by label. @throws bad_input with what is offered */
export function chooseOption(question: Question, said: string): Answer {
  const wanted = said.trim()
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
      ? `${JSON.stringify(said)} is none of the options: ${offered}.`
      : `This question takes values, not an option. Give them with --values '{"name": "value"}'.`,
    { options },
  )
}

/**
 * Asks a person at the terminal, as often as it takes to understand the answer.
 * @returns null when the input ended, or `signal` fired since somebody else answered
 */
export async function askPerson(lines: Lines, question: Question, signal: AbortSignal): Promise<Answer | null> {
  if (question.kind === 'form') return askForm(lines, question, signal)
  for (let again = ''; ; again = 'That is none of them. ') {
    const line = await lines.ask(`${again}Your answer (1-${question.options.length}, d declines): `, signal)
    if (line === null) return null
    if (line.trim() === 'd') return { declined: true }
    if (line.trim() === '') continue
    try {
      return chooseOption(question, line)
    } catch {}
  }
}

async function askForm(lines: Lines, { schema }: Question, signal: AbortSignal): Promise<Answer | null> {
  const values: Record<string, unknown> = {}
  for (const field of fieldsOf(schema)) {
    for (;;) {
      const line = await lines.ask(`${fieldWords(field)} (a lone . declines): `, signal)
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
  const usual = fallback === undefined ? '' : `, usually ${JSON.stringify(fallback)}`
  return clean(`${title === name ? name : `${title} [${name}]`}: ${kind}${required ? '' : ', may be left out'}${usual}`)
}

function fieldValue({ type, choices }: Field, text: string): unknown {
  if (choices.length > 0) return choices.find((choice) => choice === text) ?? choices[Number(text) - 1]
  if (type === 'boolean')
    return /^(y|yes|true|1)$/i.test(text) ? true : /^(n|no|false|0)$/i.test(text) ? false : undefined
  if (type !== 'number' && type !== 'integer') return text
  const number = Number(text)
  return Number.isFinite(number) && (type === 'number' || Number.isInteger(number)) ? number : undefined
}
