import { isPresent } from '../../primitives/absent-as-null.ts'
import { type Checkpoint, type Frame, readSpool } from '../keeper/spool.ts'
import { answeredId, parseFrame } from './wire.ts'

/** Requests that an earlier server process sent to an agent, and the agent's messages about them. */
export interface Recalled {
  /** Answer of the agent to `initialize`, unchanged. */
  readonly info: unknown
  /** Next free number for an own request. */
  readonly next: number
  /** Sessions that are open in the process, with the answer that opened each. */
  readonly sessions: Map<string, unknown>
  readonly prompts: readonly PastPrompt[]
  /** Updates and unanswered requests by session, in order of arrival. */
  readonly held: Map<string, HeldFrame[]>
  /** Number of the last frame. */
  readonly upTo: number
}

export interface PastPrompt {
  readonly id: number
  readonly session: string
  /** Tag that the server sent with the prompt. */
  readonly tag: string
  /** Number of its frame; 0 while the keeper has not confirmed it. */
  readonly no: number
  readonly answer: { readonly result: unknown } | { readonly error: unknown } | null
}

export type HeldFrame =
  | { readonly no: number; readonly kind: 'update'; readonly update: unknown }
  | {
      readonly no: number
      readonly kind: 'request'
      readonly id: unknown
      readonly method: string
      readonly params: unknown
    }

/** State that a connection writes into a checkpoint, so that the keeper can drop earlier frames. */
export interface PastState {
  readonly info: unknown
  readonly next: number
  readonly sessions: readonly (readonly [string, unknown])[]
  readonly prompts: readonly PastPrompt[]
}

/** Restores a conversation from its frames. Drops answered requests of the agent and holds unanswered ones. Pure. */
export function recall(checkpoint: Checkpoint | null, frames: readonly Frame[]): Recalled {
  const state = (checkpoint?.state ?? null) as PastState | null
  const known: Recalling = {
    info: state?.info ?? null,
    next: state?.next ?? 1,
    sessions: new Map(state?.sessions ?? []),
    prompts: new Map((state?.prompts ?? []).map((prompt) => [prompt.id, { ...prompt, no: prompt.no ?? 0 }])),
    held: new Map(),
    asked: new Map(),
    replaying: new Set(),
  }
  for (const frame of frames) {
    const message = parseFrame(frame.line)
    if (message && frame.dir === 'out') takeOwn(known, message, frame)
    else if (message) takeTheirs(known, message, frame.no)
  }
  const { info, next, sessions, held } = known
  return {
    info,
    next,
    sessions,
    prompts: [...known.prompts.values()],
    held,
    upTo: frames.at(-1)?.no ?? checkpoint?.upTo ?? 0,
  }
}

/**
 * Returns the messages in the spool of an ended agent that no run will take over, by session. Leaves out
 * messages to a prompt without an answer: the run of that prompt is lost, with its output.
 */
export function leftBehind(folder: string): ReadonlyMap<string, readonly HeldFrame[]> {
  const content = isPresent(folder) ? readSpool(folder) : null
  if (!content) return new Map()
  const { held, prompts } = recall(content.checkpoint, content.frames)
  const unanswered = prompts.filter(({ answer }) => answer === null)
  const ends = (id: string) =>
    Math.min(...unanswered.filter(({ session }) => session === id).map(({ no }) => no), Number.POSITIVE_INFINITY)
  return new Map([...held].map(([id, frames]) => [id, frames.filter(({ no }) => no < ends(id))]))
}

interface Recalling {
  info: unknown
  next: number
  readonly sessions: Map<string, unknown>
  readonly prompts: Map<number, PastPrompt>
  readonly held: Map<string, HeldFrame[]>
  readonly asked: Map<number, { readonly method: string; readonly session: string }>
  /** Sessions between a load and their next prompt: updates in between repeat the past. */
  readonly replaying: Set<string>
}

type Message = Record<string, unknown>

function takeOwn(known: Recalling, message: Message, { tag, no }: Frame): void {
  if (typeof message.method !== 'string') return forget(known, message.id)
  if (typeof message.id !== 'number') return
  const session = String((message.params as { sessionId?: unknown } | null)?.sessionId ?? '')
  known.next = Math.max(known.next, message.id + 1)
  known.asked.set(message.id, { method: message.method, session })
  if (message.method === 'session/load' || message.method === 'session/resume') known.replaying.add(session)
  if (message.method === 'session/close') known.sessions.delete(session)
  if (message.method !== 'session/prompt') return
  known.replaying.delete(session)
  known.prompts.set(message.id, { id: message.id, session, tag, no, answer: null })
}

function takeTheirs(known: Recalling, message: Message, no: number): void {
  if (typeof message.method === 'string') return takeCall(known, message, message.method, no)
  const id = answeredId(message.id)
  const prompt = known.prompts.get(id)
  const failed = message.error !== undefined && message.error !== null
  if (prompt) {
    const answer = failed ? { error: message.error } : { result: message.result }
    known.prompts.set(id, { ...prompt, answer })
    return
  }
  const asked = known.asked.get(id)
  if (!asked || failed) return
  if (asked.method === 'initialize') known.info = message.result
  const opens = asked.method === 'session/load' || asked.method === 'session/resume'
  if (opens) known.sessions.set(asked.session, message.result)
  const made = (message.result as { sessionId?: unknown } | null)?.sessionId
  if (asked.method === 'session/new' && typeof made === 'string') known.sessions.set(made, message.result)
}

function takeCall(known: Recalling, message: Message, method: string, no: number): void {
  const params = message.params as { sessionId?: unknown; update?: unknown; requestId?: unknown } | null
  if (method === '$/cancel_request') return forget(known, params?.requestId)
  const session = String(params?.sessionId ?? '')
  const held = known.held.get(session) ?? []
  known.held.set(session, held)
  if (message.id !== undefined && message.id !== null)
    held.push({ no, kind: 'request', id: message.id, method, params: message.params })
  else if (method === 'session/update' && !known.replaying.has(session))
    held.push({ no, kind: 'update', update: params?.update })
}

/** Drops a request of the agent that is answered or withdrawn. */
function forget(known: Recalling, id: unknown): void {
  const key = JSON.stringify(id)
  for (const held of known.held.values()) {
    const at = held.findIndex((one) => one.kind === 'request' && JSON.stringify(one.id) === key)
    if (at >= 0) held.splice(at, 1)
  }
}
