import { createParser, type EventSourceMessage } from 'eventsource-parser'
import type { Followed, FollowTarget } from '../api/index.ts'
import { CarrelError, errorFromProblem } from '../model/errors.ts'
import type { ConnectionBoard } from './connection.ts'
import { type Cursor, MAX_TARGETS, readCursor, WORKSPACE_LOG } from './cursor.ts'
import type { Timing } from './timing.ts'

export interface FollowConnection {
  /** Sends a GET request for a path below `/api/v1`. */
  readonly get: (path: string, signal: AbortSignal) => Promise<Response>
  readonly board: ConnectionBoard
  readonly timing: Timing
}

/**
 * Yields every event after `after` of each target once, in order within its log, across reconnects (L6). Opens one
 * stream per workspace and 64 logs; a page needs one.
 * @throws unauthenticated, not_found, bad_input and forbidden from the server; a broken connection is not an error
 */
export function followOver(
  connection: FollowConnection,
  targets: readonly FollowTarget[],
  signal: AbortSignal,
): AsyncGenerator<Followed> {
  const groups = grouped(targets)
  const [first] = groups
  return groups.length === 1 && first
    ? followGroup(connection, first, signal)
    : followGroups(connection, groups, signal)
}

async function* followGroups(
  connection: FollowConnection,
  groups: readonly Group[],
  signal: AbortSignal,
): AsyncGenerator<Followed> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  try {
    yield* merged(groups.map((group) => followGroup(connection, group, either)))
  } finally {
    stop.abort()
  }
}

/** Logs of one stream with the last position read. Names as in the cursor. */
interface Group {
  readonly workspace: string
  readonly seen: Cursor
}

function grouped(targets: readonly FollowTarget[]): Group[] {
  const groups: Group[] = []
  for (const target of targets) {
    const name = target.kind === 'workspace' ? WORKSPACE_LOG : target.session
    const workspace = target.workspace.toLowerCase()
    const fits = (group: Group) => group.workspace === workspace && group.seen.size < MAX_TARGETS
    const known = groups.filter((group) => group.workspace === workspace && group.seen.has(name))
    if (known.length > 0)
      throw new CarrelError('bad_input', 'A log can be followed only once in one stream.', { target })
    const group = groups.find(fits) ?? { workspace, seen: new Map() }
    if (group.seen.size === 0) groups.push(group)
    group.seen.set(name, target.after)
  }
  return groups
}

/** Follows one group. A single generator: a nested one would cost each event three turns of the microtask queue. */
async function* followGroup(connection: FollowConnection, group: Group, signal: AbortSignal): AsyncGenerator<Followed> {
  const line = connection.board.line()
  const received: Followed[] = []
  let stream: Stream | null = null
  try {
    while (!signal.aborted && liveOf(group).length > 0) {
      let cut: string | null = null
      try {
        stream ??= await openStream(connection, group, signal)
        cut = await stream.read(received)
      } catch (thrown) {
        if (thrown instanceof CarrelError && thrown.code !== 'unavailable') throw thrown
        cut = thrown instanceof Error ? thrown.message : String(thrown)
      }
      // Only a received message counts as success: a proxy that answers 200 and hangs up must not reset the backoff.
      if (received.length > 0) line.open()
      for (const followed of received) yield followed
      received.length = 0
      if (cut === null) continue
      stream?.hangUp()
      stream = null
      if (signal.aborted) return
      line.cut(cut)
      await line.wait(signal)
    }
  } finally {
    stream?.hangUp()
    line.remove()
  }
}

interface Stream {
  /**
   * Waits for more messages and appends them to `received`.
   * @returns null, or the reason as a sentence when the connection must be replaced
   * @throws the error that broke the connection
   */
  read(received: Followed[]): Promise<string | null>
  hangUp(): void
}

async function openStream(connection: FollowConnection, group: Group, signal: AbortSignal): Promise<Stream> {
  const abort = new AbortController()
  const either = AbortSignal.any([signal, abort.signal])
  try {
    const response = await withPatience(connection.get(pathOf(group), either), connection.timing.silenceMs)
    if (response.status === 204) return endedStream(group)
    if (!response.ok) throw await refusal(response)
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    return { read: readerOf(reader, connection, group), hangUp: () => abort.abort() }
  } catch (thrown) {
    abort.abort()
    throw thrown
  }
}

function readerOf(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  connection: FollowConnection,
  group: Group,
): Stream['read'] {
  const decoder = new TextDecoder()
  let received: Followed[] = []
  let gap = false
  const parser = createParser({
    onEvent(frame) {
      const followed = gap ? null : accept(frame, group)
      if (followed === 'gap') gap = true
      else if (followed) received.push(followed)
    },
  })
  return async (into) => {
    const { done, value } = await withPatience(reader.read(), connection.timing.silenceMs)
    if (done) return 'The server ended the stream.'
    received = into
    parser.feed(decoder.decode(value, { stream: true }))
    return gap ? 'The stream skipped an event; reading again from the last good one.' : null
  }
}

/** Returns a stream without messages: all logs are gone. */
function endedStream(group: Group): Stream {
  for (const name of group.seen.keys()) group.seen.set(name, 'end')
  return { read: async () => null, hangUp: () => undefined }
}

/** Accepts a frame that is the next of its log. A repeated event is dropped; a skipped event is a gap. */
function accept(frame: EventSourceMessage, group: Group): Followed | 'gap' | null {
  if (frame.event === 'caught-up') {
    const { log, head } = JSON.parse(frame.data) as { log: string; head: number }
    return { kind: 'caught-up', log, head }
  }
  if (frame.event === 'files' || frame.event === 'browsers')
    return { kind: frame.event, log: (JSON.parse(frame.data) as { log: string }).log }
  if (frame.event === 'ended') {
    const { log, reason } = JSON.parse(frame.data) as { log: string; reason: string }
    const name = log === group.workspace ? WORKSPACE_LOG : log
    if (group.seen.get(name) === 'end') return null
    group.seen.set(name, 'end')
    return { kind: 'ended', log, reason }
  }
  if (frame.event !== 'session' && frame.event !== 'workspace') return null
  const [only] = liveOf(group)
  const cursor = readCursor(frame.id ?? '', only?.[0] ?? null)
  if (cursor === null) return 'gap'
  return advance(frame, cursor, group)
}

/** Advances one log. The cursor has the positions after this event: exactly one log may be one event further. */
function advance(frame: EventSourceMessage, cursor: Cursor, group: Group): Followed | 'gap' | null {
  let moved: { name: string; seq: number } | null = null
  for (const [name, position] of cursor) {
    const seen = group.seen.get(name)
    if (typeof position !== 'number' || typeof seen !== 'number' || position <= seen) continue
    if (moved !== null || position !== seen + 1) return 'gap'
    moved = { name, seq: position }
  }
  if (moved === null) return null
  group.seen.set(moved.name, moved.seq)
  const log = moved.name === WORKSPACE_LOG ? group.workspace : moved.name
  return { kind: 'event', log, seq: moved.seq, json: frame.data }
}

function pathOf({ workspace, seen }: Group): string {
  const live = liveOf({ seen })
  const [first] = live
  if (live.length === 1 && first && first[0] !== WORKSPACE_LOG) {
    return `/workspaces/${encodeURIComponent(workspace)}/sessions/${encodeURIComponent(first[0])}/follow?after=${first[1]}`
  }
  const query = new URLSearchParams({ workspace })
  for (const [name, position] of live) {
    if (name === WORKSPACE_LOG) query.append('w', `${workspace}:${position}`)
    else query.append('s', `${name}:${position}`)
  }
  return `/follow?${query}`
}

const liveOf = ({ seen }: Pick<Group, 'seen'>) => [...seen].filter(([, position]) => position !== 'end')

/** Reads the error of a refused request. A starting, stopping or overloaded server is `unavailable`, which is retried. */
async function refusal(response: Response): Promise<CarrelError> {
  const error = errorFromProblem(await response.json().catch(() => null), response.status)
  const { status } = response
  if (status >= 500 || status === 408 || status === 429)
    return new CarrelError('unavailable', error.message, error.data, error)
  if (status === 401) return new CarrelError('unauthenticated', error.message, error.data, error)
  return error
}

/** Rejects when a promise takes longer than `ms`. The timer runs only during a wait, so a slow reader causes no timeout. */
function withPatience<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('The server stopped sending.')), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** Merges generators: yields from any that has a message; each waits until its message was taken. */
async function* merged(sources: readonly AsyncGenerator<Followed>[]): AsyncGenerator<Followed> {
  const step = (source: AsyncGenerator<Followed>) => source.next().then((result) => ({ source, result }))
  const pending = new Map(sources.map((source) => [source, step(source)]))
  try {
    while (pending.size > 0) {
      const { source, result } = await Promise.race(pending.values())
      if (result.done) {
        pending.delete(source)
        continue
      }
      yield result.value
      pending.set(source, step(source))
    }
  } finally {
    for (const waiting of pending.values()) waiting.catch(() => undefined)
  }
}
