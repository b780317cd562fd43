import { createParser, type EventSourceMessage } from 'eventsource-parser'
import type { Followed, FollowTarget } from '../api/index.ts'
import { CarrelError, errorFromProblem } from '../model/errors.ts'
import type { ConnectionBoard } from './connection.ts'
import { type Cursor, MAX_TARGETS, readCursor, WORKSPACE_LOG } from './cursor.ts'
import type { Timing } from './timing.ts'

/** What following needs from the client it belongs to. */
export interface Wire {
  /** Sends a request to `/api/v1` and what comes after it. */
  readonly get: (path: string, signal: AbortSignal) => Promise<Response>
  readonly board: ConnectionBoard
  readonly timing: Timing
}

/**
 * Gives every event after `after` of each target once, in order within its log, over as many connections as it
 * takes (L6). One stream per workspace and 64 logs; a page needs one.
 * @throws unauthenticated, not_found, bad_input and forbidden as the server says them; a broken line is no error
 */
export function followOver(
  wire: Wire,
  targets: readonly FollowTarget[],
  signal: AbortSignal,
): AsyncGenerator<Followed> {
  const groups = grouped(targets)
  const [first] = groups
  return groups.length === 1 && first ? followGroup(wire, first, signal) : followGroups(wire, groups, signal)
}

async function* followGroups(wire: Wire, groups: readonly Group[], signal: AbortSignal): AsyncGenerator<Followed> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  try {
    yield* merged(groups.map((group) => followGroup(wire, group, either)))
  } finally {
    stop.abort()
  }
}

/** The logs of one stream, and where each is read to. Names are those of the cursor. */
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

/** One generator, not one in another: each layer would cost every event three turns of the microtask queue. */
async function* followGroup(wire: Wire, group: Group, signal: AbortSignal): AsyncGenerator<Followed> {
  const line = wire.board.line()
  const heard: Followed[] = []
  let stream: Stream | null = null
  try {
    while (!signal.aborted && liveOf(group).length > 0) {
      let cut: string | null = null
      try {
        stream ??= await openStream(wire, group, signal)
        cut = await stream.read(heard)
      } catch (thrown) {
        if (thrown instanceof CarrelError && thrown.code !== 'unavailable') throw thrown
        cut = thrown instanceof Error ? thrown.message : String(thrown)
      }
      // Only what was really said counts as a success: a proxy that answers 200 and hangs up must not reset the wait.
      if (heard.length > 0) line.open()
      for (const followed of heard) yield followed
      heard.length = 0
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

/** One connection, until it breaks. */
interface Stream {
  /**
   * Waits for more and appends what it says to `heard`.
   * @returns null, or why this connection is of no more use, as a sentence
   * @throws whatever broke the connection
   */
  read(heard: Followed[]): Promise<string | null>
  hangUp(): void
}

async function openStream(wire: Wire, group: Group, signal: AbortSignal): Promise<Stream> {
  const abort = new AbortController()
  const either = AbortSignal.any([signal, abort.signal])
  try {
    const response = await withPatience(wire.get(pathOf(group), either), wire.timing.silenceMs)
    if (response.status === 204) return endedStream(group)
    if (!response.ok) throw await refusal(response)
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    return { read: readerOf(reader, wire, group), hangUp: () => abort.abort() }
  } catch (thrown) {
    abort.abort()
    throw thrown
  }
}

function readerOf(reader: ReadableStreamDefaultReader<Uint8Array>, wire: Wire, group: Group): Stream['read'] {
  const decoder = new TextDecoder()
  let heard: Followed[] = []
  let gap = false
  const parser = createParser({
    onEvent(frame) {
      const followed = gap ? null : accept(frame, group)
      if (followed === 'gap') gap = true
      else if (followed) heard.push(followed)
    },
  })
  return async (into) => {
    const { done, value } = await withPatience(reader.read(), wire.timing.silenceMs)
    if (done) return 'The server ended the stream.'
    heard = into
    parser.feed(decoder.decode(value, { stream: true }))
    return gap ? 'An event was missing in the stream, so it is read again from the last good one.' : null
  }
}

/** All logs are gone: nothing more will be said. */
function endedStream(group: Group): Stream {
  for (const name of group.seen.keys()) group.seen.set(name, 'end')
  return { read: async () => null, hangUp: () => undefined }
}

/** Takes a frame if it is the next of its log. What was seen before is dropped; what skips one is a gap. */
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

/** The cursor says where all logs stand after this event: exactly one may be one further than we are. */
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

/** A server that is starting, stopping or overloaded is worth another try; a refusal is not. */
async function refusal(response: Response): Promise<CarrelError> {
  const error = errorFromProblem(await response.json().catch(() => null), response.status)
  const { status } = response
  if (status >= 500 || status === 408 || status === 429)
    return new CarrelError('unavailable', error.message, error.data, error)
  if (status === 401) return new CarrelError('unauthenticated', error.message, error.data, error)
  return error
}

/** Rejects when nothing came for `ms`. Runs only while somebody waits, so a slow reader is not taken for a dead server. */
function withPatience<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('The server fell silent.')), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** Takes from whichever has something; each waits until what it gave was taken. */
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
