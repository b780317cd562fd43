import { clip } from './clip.ts'
import { closeTexts, type Draft, freshItem, own, patchAgent } from './draft.ts'
import type { AgentId } from './ids.ts'
import { SPLIT_CHARS, type ToolItem } from './items.ts'
import type { AgentView } from './view.ts'

/**
 * Reads ACP v1 session updates into the view. Agents leave out what the schema asks for, send kinds of their own and
 * speak of a tool call before they make it, so nothing is taken for granted: what has no place is kept as said.
 * One such file per protocol version; the log keeps the updates, so a better reading can be run over old logs.
 * `fromPermission`: the update is the tool call of a permission request, which does not name its kind of update.
 */
export function applyUpdate(draft: Draft, agent: AgentId, update: unknown, fromPermission = false): void {
  const said = record(update)
  if (fromPermission) return upsertTool(draft, said)
  const kind = text(said.sessionUpdate)
  switch (kind) {
    case 'agent_message_chunk':
      return message(draft, said, 'agent')
    case 'user_message_chunk':
      return message(draft, said, 'user')
    case 'agent_thought_chunk':
      return thought(draft, said)
    case 'tool_call':
    case 'tool_call_update':
      return upsertTool(draft, said)
    case 'plan':
      return plan(draft, said)
    case 'available_commands_update':
      return patchAgent(draft, agent, { commands: commands(said) })
    case 'current_mode_update':
      return patchAgent(draft, agent, { mode: text(said.currentModeId) || null })
    case 'config_option_update':
      return Array.isArray(said.configOptions) ? patchAgent(draft, agent, { options: said.configOptions }) : undefined
    case 'session_info_update':
      if (typeof said.title === 'string' && said.title.trim()) draft.view.title = said.title.trim().slice(0, 200)
      return
    case 'usage_update':
      return patchAgent(draft, agent, {
        usage: { used: number(said.used), size: number(said.size), cost: said.cost ?? null },
      })
    default:
      return raw(draft, update)
  }
}

function raw(draft: Draft, update: unknown): void {
  closeTexts(draft)
  const name = text(record(update).sessionUpdate) || 'unnamed'
  draft.put({ ...freshItem(draft), kind: 'raw', name, update: clip(update).value })
}

/** Makes or changes the item of a tool call, whichever word of it comes first. */
function upsertTool(draft: Draft, said: Record<string, unknown>): void {
  const id = text(said.toolCallId)
  if (!id) return raw(draft, said)
  const known = own(draft.view.index.tools, id)
  const before = known === undefined ? undefined : draft.get(known)
  const ended = known !== undefined && !draft.view.index.unfinished.includes(id)
  // After its run, a call that has its end keeps it: nobody would end it again.
  const status = ended && !draft.view.run && !ENDS.has(text(said.status)) ? '' : text(said.status)
  if (known === undefined) closeTexts(draft)
  if (known === undefined || before?.kind === 'tool') {
    const item = changed(before?.kind === 'tool' ? before : newTool(draft, id), said, status)
    const endedAt = ENDS.has(item.status) ? (item.endedAt ?? draft.event.at) : null
    draft.put({ ...item, seq: draft.event.seq, endedAt })
    if (known === undefined) {
      const { index } = draft.view
      draft.view.index = { ...index, tools: { ...index.tools, [id]: item.n }, unfinished: [...index.unfinished, id] }
    }
  }
  trackEnd(draft, id, status)
}

function newTool(draft: Draft, toolCallId: string): ToolItem {
  return {
    ...freshItem(draft),
    kind: 'tool',
    toolCallId,
    title: '',
    toolKind: 'other',
    status: 'pending',
    content: [],
    locations: [],
    clipped: { content: 0, input: 0, output: 0 },
    clippedBytes: 0,
    ruled: null,
    startedAt: draft.event.at,
    endedAt: null,
  }
}

/** Fields that are absent or null leave what is there; lists replace the whole list, as ACP says. */
function changed(item: ToolItem, said: Record<string, unknown>, status: string): ToolItem {
  const content = Array.isArray(said.content) ? clip(said.content) : null
  const output = said.rawOutput === undefined || said.rawOutput === null ? null : clip(said.rawOutput)
  const input = said.rawInput === undefined || said.rawInput === null ? null : clip(said.rawInput)
  const clipped = {
    content: content?.clippedBytes ?? item.clipped?.content ?? 0,
    input: input?.clippedBytes ?? item.clipped?.input ?? 0,
    output: output?.clippedBytes ?? item.clipped?.output ?? 0,
  }
  return {
    ...item,
    title: text(said.title) || item.title || text(said.kind) || item.toolCallId,
    toolKind: text(said.kind) || item.toolKind,
    status: status || item.status,
    content: content ? (content.value as unknown[]) : item.content,
    locations: Array.isArray(said.locations) ? said.locations.flatMap(location) : item.locations,
    ...(input && { rawInput: input.value }),
    ...(output && { rawOutput: output.value }),
    clipped,
    clippedBytes: clipped.content + clipped.input + clipped.output,
  }
}

const ENDS = new Set(['completed', 'failed', 'cancelled', 'interrupted'])

/** Keeps the list of calls without an end; one that goes on after its end, in a run that is on, is on it again. */
function trackEnd(draft: Draft, id: string, status: string): void {
  const { index } = draft.view
  const open = index.unfinished.includes(id)
  if (open && ENDS.has(status)) {
    draft.view.index = { ...index, unfinished: index.unfinished.filter((other) => other !== id) }
  }
  if (!open && status && !ENDS.has(status)) draft.view.index = { ...index, unfinished: [...index.unfinished, id] }
}

function message(draft: Draft, said: Record<string, unknown>, role: 'agent' | 'user'): void {
  const content = contentOf(said.content)
  if (!content) return raw(draft, said)
  const messageId = text(said.messageId) || null
  const { message: open } = draft.view.index
  const same = open !== null && open.role === role && sameMessage(open.messageId, messageId)
  if (isEmpty(content)) return
  const known = messageId ?? (same ? open.messageId : null)
  if (same && open.chars < SPLIT_CHARS) {
    const item = draft.get(open.n)
    if (item?.kind === 'message')
      draft.put({
        ...item,
        text: item.text + content.text,
        blocks: [...item.blocks, ...content.blocks],
        seq: draft.event.seq,
      })
    const chars = open.chars + content.text.length
    draft.view.index = { ...draft.view.index, message: { n: open.n, role, messageId: known, chars } }
    return
  }
  closeTexts(draft)
  const fresh = freshItem(draft)
  draft.put({ ...fresh, kind: 'message', role, ...content, continues: same })
  const chars = content.text.length
  draft.view.index = { ...draft.view.index, message: { n: fresh.n, role, messageId: known, chars } }
}

function thought(draft: Draft, said: Record<string, unknown>): void {
  const content = contentOf(said.content)
  if (!content || content.blocks.length > 0) return raw(draft, said)
  const messageId = text(said.messageId) || null
  const { thought: open } = draft.view.index
  const same = open !== null && sameMessage(open.messageId, messageId)
  if (isEmpty(content)) return
  const known = messageId ?? (same ? open.messageId : null)
  if (same && open.chars < SPLIT_CHARS) {
    const item = draft.get(open.n)
    if (item?.kind === 'thought') draft.put({ ...item, text: item.text + content.text, seq: draft.event.seq })
    const chars = open.chars + content.text.length
    draft.view.index = { ...draft.view.index, thought: { n: open.n, messageId: known, chars } }
    return
  }
  closeTexts(draft)
  const fresh = freshItem(draft)
  draft.put({ ...fresh, kind: 'thought', text: content.text, continues: same, endedAt: null })
  draft.view.index = { ...draft.view.index, thought: { n: fresh.n, messageId: known, chars: content.text.length } }
}

/** Most agents name no message; then one goes on until something else is said. */
const sameMessage = (open: string | null, next: string | null): boolean =>
  open === null || next === null || open === next

function plan(draft: Draft, said: Record<string, unknown>): void {
  const entries = (Array.isArray(said.entries) ? said.entries : []).map((entry) => {
    const { content, priority, status } = record(entry)
    return { content: text(content), priority: text(priority) || 'medium', status: text(status) || 'pending' }
  })
  const open = draft.view.index.plan
  const item = open === null ? undefined : draft.get(open)
  if (open !== null && item === undefined) return
  if (item?.kind === 'plan') return draft.put({ ...item, entries, seq: draft.event.seq })
  closeTexts(draft)
  const fresh = freshItem(draft)
  draft.put({ ...fresh, kind: 'plan', entries })
  draft.view.index = { ...draft.view.index, plan: fresh.n }
}

function commands(said: Record<string, unknown>): AgentView['commands'] {
  const list = Array.isArray(said.availableCommands) ? said.availableCommands : []
  return list.flatMap((each) => {
    const { name, description, input } = record(each)
    return text(name)
      ? [{ name: text(name), description: text(description), hint: text(record(input).hint) || null }]
      : []
  })
}

interface Content {
  readonly text: string
  readonly blocks: unknown[]
}

/** The text of a chunk and its blocks that are no text. ACP says one block; some agents send a list or bare text. */
function contentOf(content: unknown): Content | null {
  if (content === undefined || content === null) return null
  const parts = Array.isArray(content) ? content : [content]
  const isText = (part: unknown) => typeof part === 'string' || record(part).type === 'text'
  const texts = parts.filter(isText).map((part) => (typeof part === 'string' ? part : text(record(part).text)))
  const blocks = parts.filter((part) => !isText(part)).map((part) => clip(part).value)
  return { text: clip(texts.join('')).value as string, blocks }
}

const isEmpty = ({ text, blocks }: Content): boolean => text === '' && blocks.length === 0

function location(each: unknown): { path: string; line?: number | null }[] {
  const { path, line } = record(each)
  if (!text(path)) return []
  return [typeof line === 'number' ? { path: text(path), line } : { path: text(path) }]
}

const record = (value: unknown): Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const number = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0)
