import type { Mask } from '../secrets/mask.ts'
import type { Outcome } from './events.ts'

interface Held {
  readonly chunk: Chunk
  readonly text: string
}

/** One chunk of a message or thought; `with` returns the same chunk with another text. */
interface Chunk {
  readonly kind: string
  readonly message: string | null
  readonly text: string
  with(text: string): Outcome
}

const CHUNKS = new Set(['agent_message_chunk', 'agent_thought_chunk', 'user_message_chunk'])
/** Updates that do not end a message, since the transcript shows nothing for them. */
const ASIDE = new Set([
  'usage_update',
  'available_commands_update',
  'current_mode_update',
  'config_option_update',
  'session_info_update',
])
const ENDED = new Set(['completed', 'failed'])

/**
 * Masks known secrets in recorded outcomes. A secret may be split over consecutive chunks of one message. The mask
 * holds a possible beginning of a secret back until the next chunk, or until another kind of outcome.
 */
export function createOutcomeMask(mask: () => Mask) {
  let held: Held | null = null
  const tools = new Set<string>()
  const rest = (): Outcome[] => {
    if (!held) return []
    const { chunk, text } = held
    held = null
    return [chunk.with(mask().text(text))]
  }
  const takeChunk = (chunk: Chunk): Outcome[] => {
    const goesOn = held !== null && held.chunk.kind === chunk.kind && sameMessage(held.chunk, chunk)
    const before = goesOn ? [] : rest()
    const { masked, rest: open } = mask().begin((held?.text ?? '') + chunk.text)
    // The newest chunk is held, so that its other fields are kept.
    held = open === '' ? null : { chunk, text: open }
    return masked === '' && open !== '' ? before : [...before, chunk.with(masked)]
  }
  return {
    /** Returns text held back earlier, then the masked outcome; nothing while the outcome itself is held back. */
    take(outcome: Outcome): Outcome[] {
      if (held === null && mask().empty) return [outcome]
      const chunk = chunkOf(outcome)
      if (chunk) return takeChunk(chunk)
      const before = isAside(outcome, tools) ? [] : rest()
      const data = mask().value(outcome.data, isGrowing(outcome))
      return [...before, data === outcome.data ? outcome : ({ ...outcome, data } as Outcome)]
    },
    /** Returns the text held back, at the end of the stream. */
    rest,
  }
}

const sameMessage = (one: Chunk, other: Chunk): boolean =>
  one.message === null || other.message === null || one.message === other.message

interface Update {
  readonly sessionUpdate?: unknown
  readonly messageId?: unknown
  readonly toolCallId?: unknown
  readonly status?: unknown
  readonly content?: unknown
}

function updateOf(outcome: Outcome): Update | null {
  if (outcome.type !== 'agent.update') return null
  const { update } = outcome.data
  return update !== null && typeof update === 'object' ? (update as Update) : null
}

function chunkOf(outcome: Outcome): Chunk | null {
  const update = updateOf(outcome)
  if (outcome.type !== 'agent.update' || !update || !CHUNKS.has(String(update.sessionUpdate))) return null
  const { content } = update
  const text = typeof content === 'string' ? content : (content as { text?: unknown } | null | undefined)?.text
  if (typeof text !== 'string') return null
  return {
    kind: String(update.sessionUpdate),
    message: typeof update.messageId === 'string' ? update.messageId : null,
    text,
    with: (next) => {
      const changed = typeof content === 'string' ? next : { ...(content as object), text: next }
      return { ...outcome, data: { ...outcome.data, update: { ...update, content: changed } } }
    },
  }
}

/** Whether an open message continues after this outcome. A new tool call creates an item and ends the message. */
function isAside(outcome: Outcome, tools: Set<string>): boolean {
  const update = updateOf(outcome)
  if (!update) return false
  if (typeof update.toolCallId !== 'string') return ASIDE.has(String(update.sessionUpdate))
  const known = tools.has(update.toolCallId)
  tools.add(update.toolCallId)
  return known
}

/** Whether a tool's output is incomplete: later updates repeat it with more text. */
function isGrowing(outcome: Outcome): boolean {
  const update = updateOf(outcome)
  return typeof update?.toolCallId === 'string' && !ENDED.has(String(update.status))
}
