import { clip } from './clip.ts'
import { closeTexts, type Draft, freshItem, patchAgent } from './draft.ts'
import type { AgentId } from './ids.ts'
import { SPLIT_CHARS, type ToolItem } from './items.ts'
import type { AgentView } from './view.ts'

/**
 * Reads ACP v1 session updates into the view. Agents leave out what the schema asks for, send kinds of their own and
 * speak of a tool call before they make it, so nothing is taken for granted: what has no place is kept as said.
 * One such file per protocol version; the log keeps the updates, so a better reading can be run over old logs.
 */
export function applyUpdate(draft: Draft, agent: AgentId, update: unknown): void {
  const said = record(update)
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
      closeTexts(draft)
      draft.put({ ...freshItem(draft), kind: 'raw', name: kind || 'unnamed', update: clip(update).value })
  }
}

/** Makes or changes the item of a tool call, whichever word of it comes first. */
function upsertTool(draft: Draft, said: Record<string, unknown>): void {
  const id = text(said.toolCallId)
  if (!id) return
  const known = draft.view.index.tools[id]
  const before = known === undefined ? undefined : draft.get(known)
  if (known !== undefined && before === undefined) return trackEnd(draft, id, text(said.status))
  if (before === undefined) closeTexts(draft)
  const item = before?.kind === 'tool' ? before : newTool(draft, id)
  draft.put({ ...changed(item, said), seq: draft.event.seq, endedAt: endOf(item, said, draft.event.at) })
  if (known === undefined) {
    const { index } = draft.view
    draft.view.index = { ...index, tools: { ...index.tools, [id]: item.n }, unfinished: [...index.unfinished, id] }
  }
  trackEnd(draft, id, text(said.status))
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
    clippedBytes: 0,
    ruled: null,
    startedAt: draft.event.at,
    endedAt: null,
  }
}

/** Fields that are absent or null leave what is there; lists replace the whole list, as ACP says. */
function changed(item: ToolItem, said: Record<string, unknown>): ToolItem {
  const content = Array.isArray(said.content) ? clip(said.content) : null
  const output = said.rawOutput === undefined || said.rawOutput === null ? null : clip(said.rawOutput)
  const input = said.rawInput === undefined || said.rawInput === null ? null : clip(said.rawInput)
  const clippedBytes = (content?.clippedBytes ?? 0) + (output?.clippedBytes ?? 0) + (input?.clippedBytes ?? 0)
  return {
    ...item,
    title: text(said.title) || item.title || text(said.kind) || item.toolCallId,
    toolKind: text(said.kind) || item.toolKind,
    status: text(said.status) || item.status,
    content: content ? (content.value as unknown[]) : item.content,
    locations: Array.isArray(said.locations) ? said.locations.flatMap(location) : item.locations,
    ...(input && { rawInput: input.value }),
    ...(output && { rawOutput: output.value }),
    clippedBytes: content || output || input ? clippedBytes : item.clippedBytes,
  }
}

const ENDS = new Set(['completed', 'failed', 'cancelled', 'interrupted'])

function endOf(item: ToolItem, said: Record<string, unknown>, at: number): number | null {
  const status = text(said.status) || item.status
  return ENDS.has(status) ? (item.endedAt ?? at) : null
}

function trackEnd(draft: Draft, id: string, status: string): void {
  const { index } = draft.view
  if (!ENDS.has(status) || !index.unfinished.includes(id)) return
  draft.view.index = { ...index, unfinished: index.unfinished.filter((other) => other !== id) }
}

function message(draft: Draft, said: Record<string, unknown>, role: 'agent' | 'user'): void {
  const { text: added, block } = contentOf(said.content)
  const messageId = text(said.messageId) || null
  const open = draft.view.index.message
  const item = open && draft.get(open.n)
  const same =
    open && open.role === role && (messageId === null || open.messageId === null || open.messageId === messageId)
  if (same && item === undefined) return
  if (same && item?.kind === 'message' && item.text.length < SPLIT_CHARS) {
    const blocks = block === null ? item.blocks : [...item.blocks, block]
    draft.put({ ...item, text: item.text + added, blocks, seq: draft.event.seq })
    return
  }
  const continues = Boolean(same && item?.kind === 'message')
  closeTexts(draft)
  const fresh = freshItem(draft)
  draft.put({ ...fresh, kind: 'message', role, text: added, blocks: block === null ? [] : [block], continues })
  draft.view.index = { ...draft.view.index, message: { n: fresh.n, role, messageId } }
}

function thought(draft: Draft, said: Record<string, unknown>): void {
  const { text: added } = contentOf(said.content)
  const messageId = text(said.messageId) || null
  const open = draft.view.index.thought
  const item = open && draft.get(open.n)
  if (open && item === undefined) return
  if (open && item?.kind === 'thought' && item.text.length < SPLIT_CHARS) {
    draft.put({ ...item, text: item.text + added, seq: draft.event.seq })
    return
  }
  closeTexts(draft)
  const fresh = freshItem(draft)
  draft.put({ ...fresh, kind: 'thought', text: added, continues: item?.kind === 'thought', endedAt: null })
  draft.view.index = { ...draft.view.index, thought: { n: fresh.n, messageId } }
}

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

function contentOf(content: unknown): { text: string; block: unknown } {
  const said = record(content)
  if (said.type === 'text') return { text: text(said.text), block: null }
  return { text: '', block: content === undefined ? null : clip(content).value }
}

function location(each: unknown): { path: string; line?: number | null }[] {
  const { path, line } = record(each)
  if (!text(path)) return []
  return [typeof line === 'number' ? { path: text(path), line } : { path: text(path) }]
}

const record = (value: unknown): Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const number = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0)
