import type { ToolItem } from '../../../model/events/items.ts'
import { type Answer, allowance, type Question, refusal } from '../../../model/interaction.ts'

export type PermissionReply = { outcome: 'selected'; optionId: string } | { outcome: 'cancelled' }
export type FormReply = { action: 'accept'; content: unknown } | { action: 'decline' } | { action: 'cancel' }

/**
 * Reads ACP's `session/request_permission` into a question. Option ids and kinds are the agent's own.
 * @param known the tool call as it is in the transcript: agents omit fields that they have sent before
 */
export function permissionQuestion(request: unknown, known?: ToolItem): Question {
  const fields = record(request)
  const toolCall = completed(record(fields.toolCall), known)
  const input = record(toolCall.rawInput)
  const options = list(fields.options).map((each) => {
    const { optionId, name, kind } = record(each)
    return { id: text(optionId), label: text(name) || text(optionId), kind: text(kind) || 'other' }
  })
  const command = commandOf(input)
  return {
    kind: options.some((option) => /^(allow|reject)_/.test(option.kind)) ? 'permission' : 'choice',
    title: text(toolCall.title) || command || text(toolCall.kind) || 'The agent asks for permission',
    body: text(fields.description) || text(input.description) || null,
    options,
    toolCall,
    toolCallId: text(toolCall.toolCallId) || null,
    toolKind: text(toolCall.kind) || null,
    paths: pathsOf(toolCall, input),
    command,
  }
}

/** Completes the tool call of a request. The call is an update: absent fields and nulls keep the known value. */
function completed(toolCall: Record<string, unknown>, known: ToolItem | undefined): Record<string, unknown> {
  if (!known) return toolCall
  const { title, toolKind, content, locations, rawInput } = known
  const before = { title, kind: toolKind, content, locations, ...(rawInput === undefined ? {} : { rawInput }) }
  const sent = Object.entries(toolCall).filter(([, value]) => value !== undefined && value !== null)
  return { ...before, ...Object.fromEntries(sent) }
}

/** Reads ACP's `elicitation/create` into a question. A form with one field of a few values is a choice. */
export function formQuestion(request: unknown): Question {
  const sent = record(request)
  const schema = record(sent.requestedSchema)
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
    title: text(sent.message) || text(schema.title) || 'The agent asks a question',
    body: text(schema.description) || null,
    options,
    schema: sent.requestedSchema,
    toolCallId: text(sent.toolCallId) || null,
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

/** The answer of a rule; null without a fitting option, so that a person is asked. */
export function ruledAnswer(question: Question, action: 'allow' | 'deny'): Answer | null {
  const option = action === 'allow' ? allowance(question) : refusal(question)
  return option ? { option: option.id } : null
}

/** Reads the tool call of a permission request as an update; null where the request names none. */
export function toolCallUpdate(request: unknown): { toolCallId: string; [field: string]: unknown } | null {
  const toolCall = record(record(request).toolCall)
  const toolCallId = text(toolCall.toolCallId)
  return toolCallId === '' ? null : { ...toolCall, sessionUpdate: 'tool_call_update', toolCallId }
}

function commandOf(input: Record<string, unknown>): string | null {
  const { command, cmd } = input
  const line = command ?? cmd
  if (typeof line === 'string') return line
  if (!Array.isArray(line) || line.length === 0) return null
  const words = line.map(String)
  // Agents wrap commands in a shell: the person decides about the command inside.
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
