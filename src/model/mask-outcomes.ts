import type { Outcome } from './events.ts'
import type { Mask } from './mask.ts'

/**
 * Hides known values in what a holder records. A value may come in pieces, in consecutive chunks of one message: what
 * could be the beginning of one is held back until it is decided, and comes with the next chunk or before the next
 * thing that is said.
 */
export interface OutcomeMask {
  /** The same outcome without values, after what had been held back before it; nothing while it is held back itself. */
  take(outcome: Outcome): Outcome[]
  /** What is held back: nothing more of it will come. */
  rest(): Outcome[]
}

interface Held {
  readonly chunk: Chunk
  readonly text: string
}

/** One piece of a message or thought; `with` makes the same piece with another text. */
interface Chunk {
  readonly kind: string
  readonly message: string | null
  readonly text: string
  with(text: string): Outcome
}

const CHUNKS = new Set(['agent_message_chunk', 'agent_thought_chunk', 'user_message_chunk'])
/** After these a message still goes on: nobody sees them between its pieces. */
const ASIDE = new Set([
  'usage_update',
  'available_commands_update',
  'current_mode_update',
  'config_option_update',
  'session_info_update',
])
const ENDED = new Set(['completed', 'failed'])

export function createOutcomeMask(mask: () => Mask): OutcomeMask {
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
    const { said, rest: open } = mask().begin((held?.text ?? '') + chunk.text)
    // The piece that is held back is the last one that came, so that nothing of what came with it is lost.
    held = open === '' ? null : { chunk, text: open }
    return said === '' && open !== '' ? before : [...before, chunk.with(said)]
  }

  return {
    take(outcome) {
      if (held === null && mask().empty) return [outcome]
      const chunk = chunkOf(outcome)
      if (chunk) return takeChunk(chunk)
      const before = isAside(outcome, tools) ? [] : rest()
      const data = mask().value(outcome.data, isGrowing(outcome))
      return [...before, data === outcome.data ? outcome : ({ ...outcome, data } as Outcome)]
    },
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
      const told = typeof content === 'string' ? next : { ...(content as object), text: next }
      return { ...outcome, data: { ...outcome.data, update: { ...update, content: told } } }
    },
  }
}

/** Whether a message that is being said goes on behind it. A tool call that is new makes an item, and ends the message. */
function isAside(outcome: Outcome, tools: Set<string>): boolean {
  const update = updateOf(outcome)
  if (!update) return false
  if (typeof update.toolCallId !== 'string') return ASIDE.has(String(update.sessionUpdate))
  const known = tools.has(update.toolCallId)
  tools.add(update.toolCallId)
  return known
}

/** An output that is not whole yet is said again with more of it. */
function isGrowing(outcome: Outcome): boolean {
  const update = updateOf(outcome)
  return typeof update?.toolCallId === 'string' && !ENDED.has(String(update.status))
}
