import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Carrel, Followed, FollowTarget } from '../../api/index.ts'
import { type Cursor, MAX_TARGETS, type Position, readCursor, WORKSPACE_LOG, writeCursor } from '../../client/cursor.ts'
import type { Engine } from '../../engine/engine.ts'
import { CarrelError } from '../../model/errors.ts'
import { Seq, SessionId, WorkspaceId } from '../../model/ids.ts'
import { readInput } from '../../model/input.ts'
import type { Caller } from '../../model/tree.ts'
import { createOutlet, OUTLET_LIMITS, type Outlet, type OutletLimits, pump } from './outlet.ts'
import { inputOf } from './request-input.ts'

/** Open streams of a server. */
export type Streams = ReturnType<typeof mountStreams>

export interface StreamOptions {
  readonly engine: Engine
  readonly callerOf: (request: FastifyRequest) => Caller
  readonly onError: (error: unknown, request: FastifyRequest) => void
  readonly limits?: Partial<OutletLimits> | undefined
}

/** Logs of one stream, by the names of the cursor. */
interface StreamTargets {
  readonly workspaceLog: string | null
  readonly sessionsOf: string
  readonly cursor: Cursor
}

/**
 * Mounts the two streams: one for all logs of a page, and one for a single log. Events are the stored lines, unchanged.
 * `id` has the positions of all logs, so that `Last-Event-ID` resumes each of them exactly (L6).
 */
export function mountStreams(app: FastifyInstance, options: StreamOptions) {
  const limits = { ...OUTLET_LIMITS, ...options.limits }
  const open = new Map<AbortController, Outlet | null>()
  const serve = async (request: FastifyRequest, reply: FastifyReply, targets: StreamTargets) => {
    const abort = new AbortController()
    reply.raw.once('close', () => abort.abort())
    open.set(abort, null)
    let iterator: AsyncIterator<Followed> | null = null
    try {
      const begun = await begin(options.engine.carrelFor(options.callerOf(request)), targets, abort.signal)
      // Only status 204 stops a browser's EventSource from reconnecting.
      if (begun === null) return reply.code(204).send()
      iterator = begun.iterator
      reply.hijack()
      if (abort.signal.aborted) {
        reply.raw.destroy()
        return reply
      }
      reply.raw.writeHead(200, headersOf(reply))
      const outlet = createOutlet(reply.raw, limits)
      open.set(abort, outlet)
      outlet.push('retry: 1000\n\n')
      for (const gone of begun.gone) outlet.push(frameOf(gone, targets))
      await pump(begun.first, iterator, outlet, (each) => frameOf(each, targets)).catch((error) => {
        if (!abort.signal.aborted) options.onError(error, request)
      })
      outlet.end()
      return reply
    } finally {
      abort.abort()
      open.delete(abort)
      await iterator?.return?.()
    }
  }
  app.get('/api/v1/follow', { exposeHeadRoute: false }, (request, reply) => serve(request, reply, manyFrom(request)))
  app.get('/api/v1/workspaces/:workspace/sessions/:id/follow', { exposeHeadRoute: false }, (request, reply) =>
    serve(request, reply, oneFrom(request)),
  )
  return {
    open: () => open.size,
    /** Returns the bytes buffered for readers, of all streams. */
    waitingBytes: () => [...open.values()].reduce((sum, outlet) => sum + (outlet?.waiting() ?? 0), 0),
    /** Ends every stream; their readers reconnect to the next server. */
    end(): void {
      for (const abort of open.keys()) abort.abort()
    },
  }
}

interface Begun {
  readonly iterator: AsyncIterator<Followed>
  readonly first: IteratorResult<Followed>
  /** Logs deleted since they were last read. */
  readonly gone: Followed[]
}

/**
 * Fetches the first message before the headers are sent, so that a refusal has its own status.
 * A log that was deleted since the last read ends; the others continue.
 */
async function begin(carrel: Carrel, following: StreamTargets, signal: AbortSignal): Promise<Begun | null> {
  const gone: Followed[] = []
  for (;;) {
    const targets = targetsOf(following)
    if (targets.length === 0 && gone.length === 0) return null
    const iterator = carrel.follow(targets, signal)[Symbol.asyncIterator]()
    try {
      return { iterator, first: await iterator.next(), gone }
    } catch (thrown) {
      const log = missingLog(thrown, following)
      if (log === null || targets.length === 1) throw thrown
      following.cursor.set(log, 'end')
      gone.push({ kind: 'ended', log, reason: 'The log was deleted.' })
    }
  }
}

function missingLog(thrown: unknown, { cursor }: StreamTargets): string | null {
  if (!(thrown instanceof CarrelError) || thrown.code !== 'not_found') return null
  const { id } = (thrown.data ?? {}) as { id?: unknown }
  return typeof id === 'string' && Number(cursor.get(id)) > 0 ? id : null
}

/** The frame of one thing that happened; moves the cursor. */
function frameOf(followed: Followed, { workspaceLog, cursor }: StreamTargets): string {
  const isWorkspace = followed.log === workspaceLog
  const name = isWorkspace ? WORKSPACE_LOG : followed.log
  if (followed.kind === 'event') {
    cursor.set(name, followed.seq)
    return frame(idOf(cursor), isWorkspace ? 'workspace' : 'session', followed.json)
  }
  if (followed.kind === 'caught-up')
    return frame(idOf(cursor), 'caught-up', JSON.stringify({ log: followed.log, head: followed.head }))
  if (followed.kind === 'files' || followed.kind === 'browsers')
    return frame(idOf(cursor), followed.kind, JSON.stringify({ log: followed.log }))
  cursor.set(name, 'end')
  return frame(idOf(cursor), 'ended', JSON.stringify({ log: followed.log, reason: followed.reason }))
}

/** A line break inside of data would end it; JSON allows one only between its parts, so none is lost. */
function frame(id: string, event: string, json: string): string {
  const data = /[\r\n]/.test(json) ? json.replace(/\r\n|\r|\n/g, '\ndata: ') : json
  return `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`
}

function idOf(cursor: Cursor): string {
  const [only] = cursor
  return cursor.size === 1 && only && only[0] !== WORKSPACE_LOG ? String(only[1]) : writeCursor(cursor)
}

/** Headers of a stream, by which reverse proxies pass each event on at once. */
export function headersOf(reply: FastifyReply): Record<string, string | string[]> {
  return {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    // Caddy compresses a stream in spite of `no-transform`, and holds its events back. No proxy encodes twice.
    'content-encoding': 'identity',
    // nginx buffers otherwise.
    'x-accel-buffering': 'no',
  }
}

function targetsOf({ workspaceLog, sessionsOf, cursor }: StreamTargets): FollowTarget[] {
  return [...cursor].flatMap(([name, after]): FollowTarget[] => {
    if (after === 'end') return []
    if (name === WORKSPACE_LOG) return [{ kind: 'workspace', workspace: workspaceLog as string, after }]
    return [{ kind: 'session', workspace: sessionsOf, session: name, after }]
  })
}

const Many = z.object({
  w: z.string().optional(),
  s: z.union([z.string(), z.array(z.string())]).default([]),
  workspace: WorkspaceId.optional(),
})
const One = z.object({ workspace: WorkspaceId, id: SessionId, after: Seq.default(0) })

function manyFrom(request: FastifyRequest): StreamTargets {
  const { w, s, workspace } = readInput(Many, inputOf(request))
  const own = w === undefined ? null : logAndSeq(w, WorkspaceId)
  const sessions = [s].flat().map((text) => logAndSeq(text, SessionId))
  const cursor: Cursor = new Map()
  if (own) cursor.set(WORKSPACE_LOG, own.after)
  for (const { log, after } of sessions) cursor.set(log, after)
  if (cursor.size === 0) throw new CarrelError('bad_input', 'Name the logs to follow: `w=<workspace>`, `s=<session>`.')
  if (cursor.size !== sessions.length + (own ? 1 : 0))
    throw new CarrelError('bad_input', 'A session can be followed only once in one stream.')
  if (cursor.size > MAX_TARGETS)
    throw new CarrelError('bad_input', `One stream follows at most ${MAX_TARGETS} logs. Open another for the rest.`)
  resume(request, cursor)
  return { workspaceLog: own?.log ?? null, sessionsOf: workspace ?? own?.log ?? 'default', cursor }
}

function oneFrom(request: FastifyRequest): StreamTargets {
  const { workspace, id, after } = readInput(One, inputOf(request))
  const cursor: Cursor = new Map([[id, after]])
  resume(request, cursor)
  return { workspaceLog: null, sessionsOf: workspace, cursor }
}

/** Applies `Last-Event-ID`, which is newer than the address: browsers reconnect to the same address. */
function resume(request: FastifyRequest, cursor: Cursor): void {
  const id = request.headers['last-event-id']
  if (typeof id !== 'string' || id === '') return
  const [only] = cursor.keys()
  const last = readCursor(id, cursor.size === 1 && only !== undefined && only !== WORKSPACE_LOG ? only : null)
  if (last === null) throw new CarrelError('bad_input', 'Last-Event-ID is not an id of this stream. Omit it.')
  for (const [log, position] of last) if (cursor.has(log)) cursor.set(log, position as Position)
}

function logAndSeq(text: string, id: typeof WorkspaceId | typeof SessionId): { log: string; after: number } {
  const [log, after = '0', ...more] = text.split(':')
  if (more.length > 0) throw new CarrelError('bad_input', `${JSON.stringify(text)} is not \`<id>\` or \`<id>:<seq>\`.`)
  return { log: readInput(id, log), after: readInput(Seq, after === '' ? '0' : after) }
}
