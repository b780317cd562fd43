import type { EventOf, Outcome } from './events.ts'
import { CLIP_BYTES } from './items.ts'

/** Shorter texts are stored whole. Characters. */
const LEAST = 1_024
/** Texts of calls that are remembered together; the oldest are forgotten, and then stored whole once more. Characters. */
const MOST = 33_554_432
/** Characters by which the overlap of two texts is searched, and places that are tried. */
const PROBE = 64
const TRIES = 8
const ENDED = new Set(['completed', 'failed', 'cancelled'])

type Appended = NonNullable<EventOf<'agent.update'>['data']['appended']>
type AgentUpdate = Extract<Outcome, { type: 'agent.update' }>
interface Fields {
  readonly [key: string]: unknown
}

/**
 * Rewrites the updates of a log that is being written. ACP replaces the content of a tool call as a whole, so agents
 * send a growing output again with each update; the log gets only the part that is new.
 */
export class Growth {
  readonly #texts = new Map<string, string>()
  #chars = 0

  /** Call in the order of the log, once for each outcome. */
  take(outcome: Outcome): Outcome {
    const update = callOf(outcome)
    if (!update || outcome.type !== 'agent.update') return outcome
    // Agents count the calls of each run anew.
    const id = `${outcome.run} ${update.toolCallId}`
    const before = this.#texts.get(id)
    const text = Array.isArray(update.content) ? onlyText(update.content) : before
    if (text === undefined || ENDED.has(String(update.status))) this.#forget(id)
    else this.#keep(id, text)
    if (before === undefined || text === undefined || !Array.isArray(update.content)) return outcome
    const appended = appendedTo(before, text)
    if (!appended) return outcome
    const { content: _, ...rest } = update
    return { ...outcome, data: { ...outcome.data, update: rest, appended } } satisfies AgentUpdate
  }

  /** Call when it is not known whether the last outcomes are in the log. */
  forget(): void {
    this.#texts.clear()
    this.#chars = 0
  }

  #keep(id: string, text: string): void {
    this.#forget(id)
    this.#texts.set(id, text)
    this.#chars += text.length
    for (const oldest of this.#texts.keys()) {
      if (this.#chars <= MOST) return
      this.#forget(oldest)
    }
  }

  #forget(id: string): void {
    this.#chars -= this.#texts.get(id)?.length ?? 0
    this.#texts.delete(id)
  }
}

/**
 * Joins an update to the one right before it, when both are of one call: the later one replaces the content of the
 * earlier one anyway. Null: both are needed.
 */
export function joinedUpdate(before: Outcome | undefined, next: Outcome): Outcome | null {
  if (before?.type !== 'agent.update' || next.type !== 'agent.update') return null
  const [one, other] = [callOf(before), callOf(next)]
  if (!one || !other || one.toolCallId !== other.toolCallId || before.run !== next.run) return null
  const { update: _one, frame: _frame, ...about } = before.data
  const { update: _other, frame: _next, ...aboutNext } = next.data
  if (about.via || aboutNext.via || about.agent !== aboutNext.agent || about.afterword !== aboutNext.afterword)
    return null
  const isPlain = [one, other].every((each) => each.sessionUpdate === 'tool_call_update' && !('_meta' in each))
  if (!isPlain || ENDED.has(String(one.status))) return null
  const said = Object.fromEntries(Object.entries(other).filter(([, value]) => value !== null && value !== undefined))
  return { ...next, data: { ...next.data, update: { ...one, ...said } } } satisfies AgentUpdate
}

function callOf(outcome: Outcome): Fields | null {
  const update = outcome.type === 'agent.update' ? (outcome.data.update as Fields | null) : null
  if (update === null || typeof update !== 'object' || typeof update.toolCallId !== 'string') return null
  return update.sessionUpdate === 'tool_call' || update.sessionUpdate === 'tool_call_update' ? update : null
}

/** Returns the text of a content that is one text block and nothing else. */
export function onlyText(content: readonly unknown[]): string | undefined {
  const [part] = content as readonly Fields[]
  const block = part?.content as Fields | undefined
  const isText =
    content.length === 1 && part?.type === 'content' && block?.type === 'text' && typeof block.text === 'string'
  const isPlain = isText && Object.keys(part).length === 2 && Object.keys(block).length === 2
  return isPlain ? (block.text as string) : undefined
}

/** Returns how a text goes on with an earlier one; null where too little of that is left. */
function appendedTo(before: string, text: string): Appended | null {
  if (before.length < LEAST) return null
  if (text.startsWith(before)) return { from: 0, at: before.length, text: text.slice(before.length) }
  // An item keeps a longer text only in parts, of which the beginning cannot be dropped.
  if (before.length > CLIP_BYTES) return null
  const probe = text.slice(0, PROBE)
  for (let tries = 0, from = before.indexOf(probe); from > 0 && tries < TRIES; tries += 1) {
    const rest = before.slice(from)
    if (rest.length >= text.length / 2 && text.startsWith(rest))
      return { from, at: before.length, text: text.slice(rest.length) }
    from = before.indexOf(probe, from + 1)
  }
  return null
}
