import { type Answer, allowance, type Question, refusal } from '../../model/interaction.ts'
import type { ToolItem } from '../../model/items.ts'

/** What an agent gets told about its permission request. */
export type PermissionReply = { outcome: 'selected'; optionId: string } | { outcome: 'cancelled' }
/** What an agent gets told about its form. */
export type FormReply = { action: 'accept'; content: unknown } | { action: 'decline' } | { action: 'cancel' }

/**
 * Reads ACP's `session/request_permission` into a question. Agents make up option ids and kinds. What they leave out
 * of the call they said before: `known` is the call as it stands in the transcript.
 */
export function permissionQuestion(request: unknown, known?: ToolItem): Question {
  const said = record(request)
  const toolCall = completed(record(said.toolCall), known)
  const input = record(toolCall.rawInput)
  const options = list(said.options).map((each) => {
    const { optionId, name, kind } = record(each)
    return { id: text(optionId), label: text(name) || text(optionId), kind: text(kind) || 'other' }
  })
  const command = commandOf(input)
  return {
    kind: options.some((option) => /^(allow|reject)_/.test(option.kind)) ? 'permission' : 'choice',
    title: text(toolCall.title) || command || text(toolCall.kind) || 'The agent asks for permission',
    body: text(said.description) || text(input.description) || null,
    options,
    toolCall,
    toolCallId: text(toolCall.toolCallId) || null,
    toolKind: text(toolCall.kind) || null,
    paths: pathsOf(toolCall, input),
    command,
  }
}

/** A request's tool call is an update: fields that are absent or null leave what is there. */
function completed(toolCall: Record<string, unknown>, known: ToolItem | undefined): Record<string, unknown> {
  if (!known) return toolCall
  const { title, toolKind, content, locations, rawInput } = known
  const before = { title, kind: toolKind, content, locations, ...(rawInput === undefined ? {} : { rawInput }) }
  const said = Object.entries(toolCall).filter(([, value]) => value !== undefined && value !== null)
  return { ...before, ...Object.fromEntries(said) }
}

/** Reads ACP's `elicitation/create`. A form with one field of a few values is a choice. */
export function formQuestion(request: unknown): Question {
  const said = record(request)
  const schema = record(said.requestedSchema)
  const fields = Object.entries(record(schema.properties))
  const only = fields.length === 1 ? record(fields[0]?.[1]) : {}
  const values = list(only.enum).map(text)
  const options = values.map((value, at) => ({
    id: value,
    label: text(list(only.enumNames)[at]) || value,
    kind: 'other',
  }))
  return {
    kind: options.length > 0 ? 'choice' : 'form',
    title: text(said.message) || text(schema.title) || 'The agent asks a question',
    body: text(schema.description) || null,
    options,
    schema: said.requestedSchema,
    toolCallId: text(said.toolCallId) || null,
    toolKind: null,
    paths: [],
    command: null,
  }
}

export function permissionReply(answer: Answer): PermissionReply {
  return 'option' in answer ? { outcome: 'selected', optionId: answer.option } : { outcome: 'cancelled' }
}

export function formReply(question: Question, answer: Answer): FormReply {
  if ('declined' in answer) return { action: 'decline' }
  if ('values' in answer) return { action: 'accept', content: answer.values }
  const [field = 'value'] = Object.keys(record(record(question.schema).properties))
  return { action: 'accept', content: { [field]: answer.option } }
}

/** What an expiry answers: a refusal where one is offered, else nothing. */
export function defaultAnswer(question: Question): Answer {
  const no = question.kind === 'permission' ? refusal(question) : null
  return no ? { option: no.id } : { declined: true }
}

/** What a rule answers; null when the agent offers no fitting option, and then a person is asked. */
export function ruledAnswer(question: Question, action: 'allow' | 'deny'): Answer | null {
  const option = action === 'allow' ? allowance(question) : refusal(question)
  return option ? { option: option.id } : null
}

/** The tool call of a permission request, as the update it amounts to; null where it names none. */
export function toolCallUpdate(request: unknown): { toolCallId: string; [field: string]: unknown } | null {
  const toolCall = record(record(request).toolCall)
  const toolCallId = text(toolCall.toolCallId)
  return toolCallId === '' ? null : { ...toolCall, sessionUpdate: 'tool_call_update', toolCallId }
}

function commandOf(input: Record<string, unknown>): string | null {
  const { command, cmd } = input
  const said = command ?? cmd
  if (typeof said === 'string') return said
  if (!Array.isArray(said) || said.length === 0) return null
  const words = said.map(String)
  // Agents wrap what they mean in a shell: the person decides about what is inside.
  if (words.length === 3 && /(^|\/)(ba|z|da)?sh$/.test(words[0] ?? '') && /^-l?c$/.test(words[1] ?? ''))
    return words[2] ?? null
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ')
}

function pathsOf(toolCall: Record<string, unknown>, input: Record<string, unknown>): string[] {
  const paths = [
    ...list(toolCall.locations).map((each) => text(record(each).path)),
    ...list(toolCall.content).map((each) => text(record(each).path)),
    text(input.file_path) || text(input.filePath) || text(input.path) || text(input.absolute_path),
    ...Object.keys(record(input.changes)),
  ]
  return [...new Set(paths.filter((path) => path !== ''))]
}

const record = (value: unknown): Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
