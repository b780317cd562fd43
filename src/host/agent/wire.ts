import { parseJson } from '../../primitives/json.ts'
import { messageOf } from '../../primitives/message-of.ts'
import type { LimitReached } from '../cgroups/cgroup.ts'

/**
 * JSON-RPC 2.0 over newline-delimited JSON without schema validation: every message reaches the handlers unchanged.
 * (The SDK's own client drops unknown updates, strips unknown fields and refuses permission requests with unknown
 * option kinds. The log must contain the original messages.)
 */
export type AgentWire = ReturnType<typeof openWire>

export interface RequestOptions {
  readonly onResult?: (result: unknown) => void
  /** Stored with the frame in the spool, to find the request again. */
  readonly tag?: string
  /** Receives the number of the request. */
  readonly onSent?: (id: number) => void
}

export interface WireHandlers {
  /** `no` is the number of the notification's frame. */
  notification(method: string, params: unknown, no: number): void
  /** Resolves to the result; a thrown WireError becomes the error answer. `signal` fires on `$/cancel_request`. */
  request(call: AgentRequest, signal: AbortSignal): Promise<unknown>
  /** Reports input that is not a frame; `text` describes it in a sentence. */
  noise(text: string, sample: string): void
  /** Reports an error thrown by a handler. Its message is lost for the log, so the connection must end. */
  thrown(error: unknown): void
  frame?(direction: 'in' | 'out', line: string): void
}

/** Request of the agent. */
export interface AgentRequest {
  readonly no: number
  readonly id: unknown
  readonly method: string
  readonly params: unknown
}

/** Refusal, error or death of an agent. */
export class AgentFailure extends Error {
  readonly code: number | undefined
  readonly data: unknown
  /** Last 4 KiB of the agent's stderr; may contain anything. */
  readonly stderrTail: string
  /** Limit that ended the agent. */
  readonly reached: LimitReached | undefined

  constructor(
    message: string,
    more: { code?: number; data?: unknown; stderrTail?: string; reached?: LimitReached; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause })
    this.name = 'AgentFailure'
    this.code = more.code
    this.data = more.data
    this.stderrTail = more.stderrTail ?? ''
    this.reached = more.reached
  }
}

/** Error answer to the agent. */
export class WireError extends Error {
  readonly code: number
  readonly data: unknown

  constructor(code: number, message: string, data?: unknown) {
    super(message)
    this.name = 'WireError'
    this.code = code
    this.data = data
  }
}

export const METHOD_NOT_FOUND = -32601
export const INVALID_PARAMS = -32602
export const INTERNAL_ERROR = -32603
export const NOT_FOUND = -32002
export const AUTH_REQUIRED = -32000
export const CANCELLED = -32800

export const MAX_FRAME_BYTES = 32 << 20
const SAMPLE_CHARS = 200

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (failure: AgentFailure) => void
  readonly onResult: ((result: unknown) => void) | undefined
}

/** State of the wire. Ids of the two directions are kept apart, because both sides count from the same numbers. */
interface State {
  readonly asked: Map<number, Pending>
  readonly asking: Map<string, { readonly controller: AbortController; readonly no: number }>
  next: number
  failure: AgentFailure | null
}

/** Opens a wire: `write` sends a line to the agent; give each line from there to `take`. Requests count from `next`. */
export function openWire(write: (line: string, tag?: string) => void, handlers: WireHandlers, next = 1) {
  const state: State = { asked: new Map(), asking: new Map(), next, failure: null }
  const send: Send = (message, tag) => {
    const line = JSON.stringify({ jsonrpc: '2.0', ...message })
    handlers.frame?.('out', line)
    write(line, tag)
  }
  return {
    /** Reads a frame from the agent; `no` is its number. */
    take: (line: string, no: number): void => {
      // An exception here would end the server.
      try {
        if (!state.failure) takeLine({ line, no }, state, send, handlers)
      } catch (error) {
        handlers.thrown(error)
      }
    },
    /** Sends a request. `more.onResult` runs synchronously, before the next frame is read. @throws AgentFailure */
    request: (method: string, params: unknown, more: RequestOptions = {}): Promise<unknown> =>
      new Promise((resolve, reject) => {
        if (state.failure) return reject(state.failure)
        const id = state.next++
        state.asked.set(id, { resolve, reject, onResult: more.onResult })
        more.onSent?.(id)
        send({ id, method, params }, more.tag)
      }),
    /** Answers a request of the agent that an earlier server process left unanswered. */
    serve: (call: { no: number; id: unknown; method: string; params: unknown }): void =>
      void takeRequest(call, state, send, handlers),
    /** Waits for the answer to a request that an earlier server process sent. */
    adopt: (id: number): Promise<unknown> =>
      new Promise((resolve, reject) => {
        if (state.failure) return reject(state.failure)
        state.asked.set(id, { resolve, reject, onResult: undefined })
      }),
    /** Next free number for a request. */
    get next(): number {
      return state.next
    },
    /** Number of the oldest frame from the agent that still needs an answer; null for none. */
    get unanswered(): number | null {
      const open = [...state.asking.values()].map(({ no }) => no)
      return open.length > 0 ? Math.min(...open) : null
    },
    notify: (method: string, params: unknown): void => send({ method, params }),
    /** True once no more requests are possible. */
    get failed(): boolean {
      return state.failure !== null
    },
    /** Fails every open and every later request with this failure. Safe to repeat; the first failure stays. */
    fail: (failure: AgentFailure): void => {
      state.failure ??= failure
      for (const pending of state.asked.values()) pending.reject(state.failure)
      state.asked.clear()
      for (const { controller } of state.asking.values()) controller.abort()
      state.asking.clear()
    },
  }
}

/** Reads a frame; null for a line that is none. A byte order mark before it counts as a space. */
export function parseFrame(line: string): Record<string, unknown> | null {
  const frame = parseJson(line.trim())
  return typeof frame === 'object' && frame !== null && !Array.isArray(frame)
    ? (frame as Record<string, unknown>)
    : null
}

/** Reads the id of an answer to an own request: some agents send the number back as text. */
export const answeredId = (id: unknown): number =>
  typeof id === 'string' && /^\d+$/.test(id) ? Number(id) : (id as number)

type Send = (message: Record<string, unknown>, tag?: string) => void

function takeLine({ line, no }: { line: string; no: number }, state: State, send: Send, handlers: WireHandlers): void {
  handlers.frame?.('in', line)
  const frame = parseFrame(line)
  if (!frame) return broken(line, state, handlers)
  if (typeof frame.method === 'string') {
    const call = { no, id: frame.id, method: frame.method, params: frame.params }
    if (frame.id === undefined || frame.id === null) takeNotification(call, state, handlers)
    else void takeRequest(call, state, send, handlers)
    return
  }
  takeAnswer(frame, line, state, handlers)
}

/** Fails the request of a broken answer if its id is still readable; otherwise the request would stay open forever. */
function broken(line: string, state: State, handlers: WireHandlers): void {
  const sample = line.slice(0, SAMPLE_CHARS)
  handlers.noise('The agent printed a line on its protocol channel that is not a message.', sample)
  if (!line.trim().startsWith('{') || /"method"\s*:/.test(sample)) return
  const id = Number(/"id"\s*:\s*"?(\d+)/.exec(sample)?.[1] ?? Number.NaN)
  const pending = state.asked.get(id)
  state.asked.delete(id)
  pending?.reject(new AgentFailure('The agent sent an unreadable answer.', { data: { sample } }))
}

function takeNotification({ method, params, no }: AgentRequest, state: State, handlers: WireHandlers): void {
  if (method === '$/cancel_request') {
    const id = (params as { requestId?: unknown } | null)?.requestId
    state.asking.get(JSON.stringify(id))?.controller.abort()
    return
  }
  handlers.notification(method, params, no)
}

async function takeRequest(call: AgentRequest, state: State, send: Send, handlers: WireHandlers): Promise<void> {
  const { id } = call
  const key = JSON.stringify(id)
  const controller = new AbortController()
  state.asking.set(key, { controller, no: call.no })
  try {
    const result = await handlers.request(call, controller.signal)
    send({ id, result: result ?? {} })
  } catch (thrown) {
    const error =
      thrown instanceof WireError
        ? { code: thrown.code, message: thrown.message, ...(thrown.data === undefined ? {} : { data: thrown.data }) }
        : { code: INTERNAL_ERROR, message: messageOf(thrown) }
    send({ id, error })
  } finally {
    state.asking.delete(key)
  }
}

function takeAnswer(frame: Record<string, unknown>, line: string, state: State, handlers: WireHandlers): void {
  const id = answeredId(frame.id)
  const pending = state.asked.get(id)
  if (!pending) {
    handlers.noise('The agent sent an answer without a request.', line.slice(0, SAMPLE_CHARS))
    return
  }
  state.asked.delete(id)
  if (frame.error === undefined || frame.error === null) {
    pending.onResult?.(frame.result)
    pending.resolve(frame.result)
    return
  }
  pending.reject(failureFrom(frame.error))
}

/** Reads an error of any shape: a string, an object without a code, a message nested in `data`. */
export function failureFrom(error: unknown): AgentFailure {
  if (typeof error !== 'object' || error === null) return new AgentFailure(String(error), { data: error })
  const { code, message, data } = error as { code?: unknown; message?: unknown; data?: unknown }
  const inner = (data as { details?: unknown; message?: unknown } | null | undefined) ?? {}
  const detail = [inner.details, inner.message].find((one) => typeof one === 'string')
  const text =
    typeof message === 'string' && message !== '' ? message : 'The agent answered with an error without a message.'
  const whole = typeof detail === 'string' && !text.includes(detail) ? `${text}: ${detail}` : text
  return new AgentFailure(whole, { ...(typeof code === 'number' ? { code } : {}), data: data ?? error })
}
