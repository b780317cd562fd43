import type { Readable, Writable } from 'node:stream'

/**
 * JSON-RPC 2.0 over newline-delimited JSON, without a schema in the way: everything the other side says reaches the
 * handlers as said. (The SDK's own client drops unknown updates, strips unknown fields and refuses permission
 * requests with unknown option kinds by itself; what is journalled must be what was said.)
 */
export interface Wire {
  /**
   * Sends a request. `onResult` runs synchronously when the answer is read, before the next frame is looked at:
   * whoever must change state between two frames does it there. @throws AgentFailure
   */
  request(method: string, params: unknown, onResult?: (result: unknown) => void): Promise<unknown>
  notify(method: string, params: unknown): void
  /** Fails every open request, and every later one, with this. Repeatable; the first wins. */
  fail(failure: AgentFailure): void
  /** Nothing more can be asked. */
  readonly failed: boolean
}

export interface WireHandlers {
  notification(method: string, params: unknown): void
  /** Resolves to the result; a thrown WireError becomes the error answer. `signal` fires on `$/cancel_request`. */
  request(method: string, params: unknown, signal: AbortSignal): Promise<unknown>
  /** Something came that is no frame: `text` says what, in a sentence. */
  noise(text: string, sample: string): void
  /** A frame over the limit: nothing after it can be trusted. */
  tooLarge(): void
  /** A handler threw: what was said is lost for the log, so nothing more may be said. */
  thrown(error: unknown): void
  frame?(direction: 'in' | 'out', line: string): void
}

/** What an agent's refusal, error or death looks like to the engine. */
export class AgentFailure extends Error {
  readonly code: number | undefined
  readonly data: unknown
  /** The last 4 KiB the agent printed on stderr; may hold anything. */
  readonly stderrTail: string

  constructor(message: string, more: { code?: number; data?: unknown; stderrTail?: string; cause?: unknown } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause })
    this.name = 'AgentFailure'
    this.code = more.code
    this.data = more.data
    this.stderrTail = more.stderrTail ?? ''
  }
}

/** An error answer of ours to the agent. */
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
export const NOT_FOUND = -32002
export const AUTH_REQUIRED = -32000
export const CANCELLED = -32800

export const MAX_FRAME_BYTES = 32 << 20
const NEWLINE = 10
const SAMPLE_CHARS = 200

interface Pending {
  readonly resolve: (result: unknown) => void
  readonly reject: (failure: AgentFailure) => void
  readonly onResult: ((result: unknown) => void) | undefined
}

/** The wire's own state. Ids of the two directions are kept apart: both sides count from the same numbers. */
interface State {
  readonly asked: Map<number, Pending>
  readonly asking: Map<string, AbortController>
  next: number
  failure: AgentFailure | null
}

export function openWire(input: Readable, output: Writable, handlers: WireHandlers): Wire {
  const state: State = { asked: new Map(), asking: new Map(), next: 1, failure: null }
  const send = (message: Record<string, unknown>) => {
    if (output.destroyed || output.writableEnded) return
    const line = JSON.stringify({ jsonrpc: '2.0', ...message })
    handlers.frame?.('out', line)
    output.write(`${line}\n`)
  }
  readLines(
    input,
    (line) => {
      // Thrown out of here it would end the server.
      try {
        if (!state.failure) takeLine(line, state, send, handlers)
      } catch (error) {
        handlers.thrown(error)
      }
    },
    () => handlers.tooLarge(),
  )
  return {
    request: (method, params, onResult) =>
      new Promise((resolve, reject) => {
        if (state.failure) return reject(state.failure)
        const id = state.next++
        state.asked.set(id, { resolve, reject, onResult })
        send({ id, method, params })
      }),
    notify: (method, params) => send({ method, params }),
    get failed() {
      return state.failure !== null
    },
    fail: (failure) => {
      state.failure ??= failure
      for (const pending of state.asked.values()) pending.reject(state.failure)
      state.asked.clear()
      for (const controller of state.asking.values()) controller.abort()
      state.asking.clear()
    },
  }
}

/** Splits a stream into lines and holds at most one line of at most MAX_FRAME_BYTES. After `tooLarge` it reads no more. */
function readLines(input: Readable, onLine: (line: string) => void, tooLarge: () => void): void {
  let parts: Buffer[] = []
  let size = 0
  let dead = false
  input.on('error', () => undefined)
  input.on('data', (chunk: Buffer) => {
    let from = 0
    while (!dead) {
      const end = chunk.indexOf(NEWLINE, from)
      const piece = chunk.subarray(from, end < 0 ? undefined : end)
      size += piece.length
      if (size > MAX_FRAME_BYTES) {
        dead = true
        parts = []
        return tooLarge()
      }
      if (piece.length > 0) parts.push(piece)
      if (end < 0) return
      const line = (parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)).toString('utf8')
      parts = []
      size = 0
      from = end + 1
      if (line.trim() !== '') onLine(line)
    }
  })
}

type Send = (message: Record<string, unknown>) => void

function takeLine(line: string, state: State, send: Send, handlers: WireHandlers): void {
  handlers.frame?.('in', line)
  let frame: Record<string, unknown>
  try {
    frame = JSON.parse(line)
  } catch {
    return broken(line, state, handlers)
  }
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) return broken(line, state, handlers)
  if (typeof frame.method === 'string') {
    if (frame.id === undefined || frame.id === null) takeNotification(frame.method, frame.params, state, handlers)
    else void takeRequest(frame.id, frame.method, frame.params, state, send, handlers)
    return
  }
  takeAnswer(frame, line, state, handlers)
}

/** A broken answer would leave its request open for ever: if the id can still be read, that request fails. */
function broken(line: string, state: State, handlers: WireHandlers): void {
  const sample = line.slice(0, SAMPLE_CHARS)
  handlers.noise('The agent printed something on its protocol channel that is not a message.', sample)
  if (!line.startsWith('{') || /"method"\s*:/.test(sample)) return
  const id = Number(/"id"\s*:\s*(\d+)/.exec(sample)?.[1] ?? Number.NaN)
  const pending = state.asked.get(id)
  state.asked.delete(id)
  pending?.reject(new AgentFailure('The agent sent an answer that cannot be read.', { data: { sample } }))
}

function takeNotification(method: string, params: unknown, state: State, handlers: WireHandlers): void {
  if (method === '$/cancel_request') {
    const id = (params as { requestId?: unknown } | null)?.requestId
    state.asking.get(JSON.stringify(id))?.abort()
    return
  }
  handlers.notification(method, params)
}

async function takeRequest(
  id: unknown,
  method: string,
  params: unknown,
  state: State,
  send: Send,
  handlers: WireHandlers,
): Promise<void> {
  const key = JSON.stringify(id)
  const controller = new AbortController()
  state.asking.set(key, controller)
  try {
    const result = await handlers.request(method, params, controller.signal)
    send({ id, result: result ?? {} })
  } catch (thrown) {
    const error =
      thrown instanceof WireError
        ? { code: thrown.code, message: thrown.message, ...(thrown.data === undefined ? {} : { data: thrown.data }) }
        : { code: -32603, message: thrown instanceof Error ? thrown.message : String(thrown) }
    send({ id, error })
  } finally {
    state.asking.delete(key)
  }
}

function takeAnswer(frame: Record<string, unknown>, line: string, state: State, handlers: WireHandlers): void {
  const pending = state.asked.get(frame.id as number)
  if (!pending) {
    handlers.noise('The agent sent an answer to nothing that was asked.', line.slice(0, SAMPLE_CHARS))
    return
  }
  state.asked.delete(frame.id as number)
  if (frame.error === undefined || frame.error === null) {
    pending.onResult?.(frame.result)
    pending.resolve(frame.result)
    return
  }
  pending.reject(failureFrom(frame.error))
}

/** Error objects come in any shape: a string, an object without a code, a message nested in `data`. */
function failureFrom(error: unknown): AgentFailure {
  if (typeof error !== 'object' || error === null) return new AgentFailure(String(error), { data: error })
  const { code, message, data } = error as { code?: unknown; message?: unknown; data?: unknown }
  const inner = (data as { details?: unknown; message?: unknown } | null | undefined) ?? {}
  const detail = [inner.details, inner.message].find((one) => typeof one === 'string')
  const said =
    typeof message === 'string' && message !== '' ? message : 'The agent answered an error without a message.'
  const text = typeof detail === 'string' && !said.includes(detail) ? `${said}: ${detail}` : said
  return new AgentFailure(text, { ...(typeof code === 'number' ? { code } : {}), data: data ?? error })
}
