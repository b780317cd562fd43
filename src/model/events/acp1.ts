import type { AgentId } from '../ids.ts'
import { clip, clipMore } from './clip.ts'
import { closeTexts, type FoldDraft, freshItem, interruptTool, own, patchAgent, without } from './draft.ts'
import type { EventOf } from './events.ts'
import { onlyText } from './growing.ts'
import { SPLIT_CHARS, type ToolItem } from './items.ts'
import { repeatsPrompt } from './own-words.ts'
import type { AgentView, ItemIndex } from './view.ts'

interface HowTold {
  /** The update is the tool call of a permission request, which names no kind of update. */
  readonly fromPermission?: boolean
  readonly appended?: EventOf<'agent.update'>['data']['appended']
}

/**
 * Applies one ACP v1 session update to the view. Agents omit required fields, send their own kinds of updates and
 * mention a tool call before they make it. The reader assumes nothing: unknown updates become raw items.
 * Each protocol version has one such file. The log keeps the updates, so a better reader also improves old sessions.
 */
export function applyUpdate(draft: FoldDraft, agent: AgentId, raw: unknown, how: HowTold = {}): void {
  const update = record(raw)
  if (how.fromPermission) return upsertTool(draft, update, how)
  const kind = text(update.sessionUpdate)
  switch (kind) {
    case 'agent_message_chunk':
      return message(draft, update, 'agent')
    case 'user_message_chunk':
      return isRepeated(draft, update) ? undefined : message(draft, update, 'user')
    case 'agent_thought_chunk':
      return thought(draft, update)
    case 'tool_call':
    case 'tool_call_update':
      return upsertTool(draft, update, how)
    case 'plan':
      return plan(draft, update)
    case 'available_commands_update':
      return patchAgent(draft, agent, { commands: commands(update) })
    case 'current_mode_update':
      return patchAgent(draft, agent, { mode: text(update.currentModeId) || null })
    case 'config_option_update':
      return Array.isArray(update.configOptions)
        ? patchAgent(draft, agent, { options: update.configOptions })
        : undefined
    case 'session_info_update':
      if (typeof update.title === 'string' && update.title.trim()) draft.view.title = update.title.trim().slice(0, 200)
      return
    case 'usage_update':
      return patchAgent(draft, agent, {
        usage: { used: number(update.used), size: number(update.size), cost: update.cost ?? null },
      })
    default:
      return putRaw(draft, raw)
  }
}

/** Whether an agent repeats the prompt of the live run: people see it in the run's item already. */
function isRepeated({ view: { run }, afterword }: FoldDraft, update: Record<string, unknown>): boolean {
  const content = contentOf(update.content)
  if (!content || !run || afterword) return false
  const sent = [...run.content, ...run.steered.flatMap((steered) => steered.content)]
  const types = new Set(sent.map(({ type }) => type as string))
  const texts = sent.flatMap((block) => (block.type === 'text' ? [block.text] : []))
  return content.blocks.every((block) => types.has(text(record(block).type))) && repeatsPrompt(content.text, texts)
}

function putRaw(draft: FoldDraft, update: unknown): void {
  closeTexts(draft)
  const name = text(record(update).sessionUpdate) || 'unnamed'
  draft.put({ ...freshItem(draft), kind: 'raw', name, update: clip(update).value })
}

/** Creates or updates the item of a tool call; either a call or an update may arrive first. */
function upsertTool(draft: FoldDraft, update: Record<string, unknown>, { appended }: HowTold): void {
  const id = text(update.toolCallId)
  if (!id) return putRaw(draft, update)
  const known = own(draft.view.index.tools, id)
  const before = known === undefined ? undefined : draft.get(known)
  const ended = known !== undefined && !draft.view.index.unfinished.includes(id)
  // After the run, a finished call stays finished: no later event would finish it again. One that the end of the run
  // interrupted may go on in the background.
  const goesOn = draft.left?.includes(id)
  const status = ended && !draft.view.run && !goesOn && !ENDS.has(text(update.status)) ? '' : text(update.status)
  if (known === undefined) closeTexts(draft)
  if (known === undefined || before?.kind === 'tool') {
    const base = before?.kind === 'tool' ? before : newTool(draft, id)
    const item = continued(changed(base, update, status), appended)
    const endedAt = ENDS.has(item.status) ? (item.endedAt ?? draft.event.at) : null
    draft.put({ ...item, seq: draft.event.seq, endedAt })
    if (known === undefined) follow(draft, id, item.n)
  }
  trackEnd(draft, id, status)
}

/** Finished calls that a later update may still change. */
const KEPT_CALLS = 64
/** Most calls that may be open: an agent with more never tells their ends. */
const OPEN_CALLS = 1_000

/** Adds a call to the index, whose size is bounded: the fold of an event must not cost more in a long run. */
function follow(draft: FoldDraft, id: string, n: number): void {
  const { index } = draft.view
  const tools = { ...index.tools, [id]: n }
  const [oldest] = index.unfinished
  if (oldest !== undefined && index.unfinished.length >= OPEN_CALLS) interruptTool(draft, oldest)
  const unfinished = [...draft.view.index.unfinished, id]
  draft.view.index = { ...draft.view.index, tools: newest(tools, unfinished), unfinished }
}

function newest(tools: ItemIndex['tools'], unfinished: readonly string[]): ItemIndex['tools'] {
  const all = Object.entries(tools)
  if (all.length < unfinished.length + 2 * KEPT_CALLS) return tools
  const open = new Set(unfinished)
  const isOpen = ([id]: readonly [string, number]) => open.has(id)
  const finished = all.filter((entry) => !isOpen(entry)).sort(([, a], [, b]) => b - a)
  return Object.fromEntries([...all.filter(isOpen), ...finished.slice(0, KEPT_CALLS)])
}

function newTool(draft: FoldDraft, toolCallId: string): ToolItem {
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

/** Adds text to the only text of a call. */
function continued(item: ToolItem, appended: HowTold['appended']): ToolItem {
  // A call that left the index begins an item of its own, which has the text from here on.
  const text = appended && (item.content.length === 0 ? '' : onlyText(item.content))
  const clipped = item.clipped ?? { content: 0, input: 0, output: 0 }
  const base = text === '' ? { from: 0, at: 0, text: appended?.text ?? '' } : appended
  const more = text === undefined || !base ? null : clipMore(text, clipped.content, base)
  if (!more) return item
  return {
    ...item,
    content: [{ type: 'content', content: { type: 'text', text: more.value } }],
    clipped: { ...clipped, content: more.clippedBytes },
    clippedBytes: more.clippedBytes + clipped.input + clipped.output,
  }
}

/** Merges an update into an item. Absent and null fields change nothing; a list replaces the whole list (ACP). */
function changed(item: ToolItem, update: Record<string, unknown>, status: string): ToolItem {
  const content = Array.isArray(update.content) ? clip(update.content) : null
  const output = update.rawOutput === undefined || update.rawOutput === null ? null : clip(update.rawOutput)
  const input = update.rawInput === undefined || update.rawInput === null ? null : clip(update.rawInput)
  const clipped = {
    content: content?.clippedBytes ?? item.clipped?.content ?? 0,
    input: input?.clippedBytes ?? item.clipped?.input ?? 0,
    output: output?.clippedBytes ?? item.clipped?.output ?? 0,
  }
  return {
    ...item,
    title: text(update.title) || item.title || text(update.kind) || item.toolCallId,
    toolKind: text(update.kind) || item.toolKind,
    status: status || item.status,
    content: content ? (content.value as unknown[]) : item.content,
    locations: Array.isArray(update.locations) ? update.locations.flatMap(location) : item.locations,
    ...(input && { rawInput: input.value }),
    ...(output && { rawOutput: output.value }),
    clipped,
    clippedBytes: clipped.content + clipped.input + clipped.output,
  }
}

const ENDS = new Set(['completed', 'failed', 'cancelled', 'interrupted'])

/** Maintains the lists of unfinished calls. A call that continues after its end, in a live run, returns to them. */
function trackEnd(draft: FoldDraft, id: string, status: string): void {
  if (!status) return
  const { index } = draft.view
  const isOver = ENDS.has(status)
  draft.view.index = {
    ...index,
    unfinished: isOver ? without(index.unfinished, id) : withOne(index.unfinished, id),
    begun: status === 'in_progress' ? withOne(index.begun, id) : isOver ? without(index.begun, id) : index.begun,
  }
}

const withOne = (ids: readonly string[], id: string): readonly string[] => (ids.includes(id) ? ids : [...ids, id])

function message(draft: FoldDraft, update: Record<string, unknown>, role: 'agent' | 'user'): void {
  const content = contentOf(update.content)
  if (!content) return putRaw(draft, update)
  const messageId = text(update.messageId) || null
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

function thought(draft: FoldDraft, update: Record<string, unknown>): void {
  const content = contentOf(update.content)
  if (!content || content.blocks.length > 0) return putRaw(draft, update)
  const messageId = text(update.messageId) || null
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

/** Compares message ids. Most agents send none; then a message continues until another kind of update arrives. */
const sameMessage = (open: string | null, next: string | null): boolean =>
  open === null || next === null || open === next

function plan(draft: FoldDraft, update: Record<string, unknown>): void {
  const entries = (Array.isArray(update.entries) ? update.entries : []).map((entry) => {
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

function commands(update: Record<string, unknown>): AgentView['commands'] {
  const list = Array.isArray(update.availableCommands) ? update.availableCommands : []
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

/** Splits a chunk into its text and its other blocks. ACP allows one block; some agents send a list or bare text. */
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
