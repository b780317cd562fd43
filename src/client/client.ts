import { type Carrel, type Input, type OperationName, type Output, operations } from '../api/index.ts'
import { CarrelError, errorFromProblem } from '../model/errors.ts'
import { type Connection, createBoard } from './connection.ts'
import { followOver } from './follow.ts'
import { promptPatiently } from './long-wait.ts'
import { REAL_TIMING, type Timing } from './timing.ts'

export type { Connection } from './connection.ts'
export type { Timing } from './timing.ts'

export interface ConnectOptions {
  /** Address of the server, such as `http://127.0.0.1:4747`; in its own page `location.origin`. */
  readonly url: string
  /** Access token; omit it in a logged-in page, which sends its cookie. */
  readonly token?: string | undefined
  readonly face?: 'cli' | 'api' | undefined
  readonly fetch?: typeof fetch | undefined
  readonly timing?: Partial<Timing> | undefined
}

/** Carrel over HTTP: the same operations as in process, and the state of the connection. */
export interface Client extends Carrel {
  connection(): Connection
  /** Notifies the listener of every change until the returned function is called. */
  onConnection(listener: (connection: Connection) => void): () => void
  /** Retries now instead of waiting: a person pressed the button, or the network returned. */
  retryNow(): void
}

/** Creates a client without sending anything yet. */
export function connect(options: ConnectOptions): Client {
  const timing: Timing = { ...REAL_TIMING, ...options.timing }
  const base = `${options.url.replace(/\/+$/, '')}/api/v1`
  const send = options.fetch ?? ((input, init) => fetch(input, init))
  const headers: Record<string, string> = {
    ...(options.token !== undefined && { authorization: `Bearer ${options.token}` }),
    ...(options.face === 'cli' && { 'x-carrel-face': 'cli' }),
  }
  const sender: Sender = { base, headers, send, url: options.url }
  const board = createBoard(timing)
  const get = (path: string, signal: AbortSignal) =>
    send(`${base}${path}`, { headers: { ...headers, accept: 'text/event-stream' }, signal, cache: 'no-store' })
  return {
    async call<N extends OperationName>(name: N, input: Input<N>, signal?: AbortSignal): Promise<Output<N>> {
      if (name !== 'sessions.prompt') return call(name, input, sender, signal)
      const prompt = (each: Input<'sessions.prompt'>) => call('sessions.prompt', each, sender, signal)
      return (await promptPatiently(prompt, input as Input<'sessions.prompt'>, timing)) as Output<N>
    },
    follow: (targets, signal) => followOver({ get, board, timing }, targets, signal),
    connection: board.connection,
    onConnection: board.onConnection,
    retryNow: board.retryNow,
  }
}

interface Sender {
  readonly base: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly send: typeof fetch
}

async function call<N extends OperationName>(
  name: N,
  input: Input<N>,
  sender: Sender,
  signal: AbortSignal | undefined,
): Promise<Output<N>> {
  const { method, path, body } = requestFor(name, input as Record<string, unknown>)
  const init: RequestInit = {
    method,
    headers: { ...sender.headers, accept: 'application/json', ...(body && { 'content-type': 'application/json' }) },
    ...(body !== null && { body }),
    ...(signal && { signal }),
  }
  const lost = (cause: unknown) => {
    signal?.throwIfAborted()
    const message = `Carrel does not answer at ${sender.url}. Start it with \`carrel serve\` or check the address.`
    throw new CarrelError('unavailable', message, { url: sender.url }, cause)
  }
  const response = await sender.send(`${sender.base}${path}`, init).catch(lost)
  const answer = await response.text().catch(lost)
  const parsed = parsedOr(answer)
  if (!response.ok) throw errorFromProblem(parsed, response.status)
  if (parsed === undefined)
    throw new CarrelError('unavailable', `The server at ${sender.url} is not Carrel. Check the address.`)
  return parsed as Output<N>
}

/** Distributes the input of an operation over path, query and body. */
export function requestFor(
  name: OperationName,
  input: Record<string, unknown>,
): { method: string; path: string; body: string | null } {
  const [method, pattern] = operations[name].http
  const rest = new Map(Object.entries(input).filter(([, value]) => value !== undefined))
  const path = pattern.replace(/:([a-zA-Z]+)/g, (_, key: string) => {
    const value = rest.get(key)
    rest.delete(key)
    return segment(key, value)
  })
  if (method === 'POST' || method === 'PATCH') return { method, path, body: JSON.stringify(Object.fromEntries(rest)) }
  const query = new URLSearchParams()
  for (const [key, value] of rest) if (value !== null) query.set(key, String(value))
  return { method, path: query.size > 0 ? `${path}?${query}` : path, body: null }
}

/** Encodes a path segment. URL parsers resolve `.` and `..`, also encoded ones, to another route: both are refused. */
function segment(key: string, value: unknown): string {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  if (text === '' || text === '.' || text === '..')
    throw new CarrelError('bad_input', `${JSON.stringify(value) ?? 'An empty value'} cannot be the ${key}.`, { key })
  return encodeURIComponent(text)
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
