import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { operations } from '../../api/index.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Sight } from '../../model/browser-sight.ts'
import { CarrelError } from '../../model/errors.ts'
import { createOutlet, OUTLET_LIMITS, type OutletLimits } from './outlet.ts'
import { headersOf, type StreamOptions } from './stream.ts'

/**
 * Mounts the live view of a run's browser: `scene` whenever something but the picture is another, `frame` with the newest
 * picture, `ended` at the end. Nothing has an id, since what was missed is of no use; a slow reader gets fewer pictures.
 */
export function mountLive(
  app: FastifyInstance,
  { engine, callerOf, onError, ...options }: StreamOptions,
): { end(): void } {
  const limits: OutletLimits = { ...OUTLET_LIMITS, ...options.limits }
  const open = new Set<AbortController>()
  const serve = async (request: FastifyRequest, reply: FastifyReply) => {
    const abort = new AbortController()
    open.add(abort)
    reply.raw.once('close', () => abort.abort())
    const sights = watch(engine, request, callerOf, abort.signal)
    try {
      // What is refused has its own status.
      const first = await sights.next()
      reply.hijack()
      reply.raw.writeHead(200, headersOf(reply))
      const outlet = createOutlet(reply.raw, limits)
      await pump(first, sights, outlet).catch((thrown) => abort.signal.aborted || onError(thrown, request))
      outlet.end()
      return reply
    } finally {
      abort.abort()
      open.delete(abort)
      await sights.return(undefined)
    }
  }
  app.get('/api/v1/workspaces/:workspace/runs/:id/browser/live', { exposeHeadRoute: false }, serve)
  return {
    end() {
      for (const abort of open) abort.abort()
    },
  }
}

function watch(
  engine: Engine,
  request: FastifyRequest,
  callerOf: StreamOptions['callerOf'],
  signal: AbortSignal,
): AsyncGenerator<Sight> {
  const input = operations['runs.get'].input.safeParse(request.params)
  if (!input.success) throw new CarrelError('bad_input', 'This is no address of a run.')
  return engine.watchBrowser(callerOf(request), input.data, signal)
}

type Steps = Pick<AsyncGenerator<Sight>, 'next'>

/** The next picture is asked for when the one before has left. */
async function pump(
  first: IteratorResult<Sight>,
  sights: Steps,
  outlet: ReturnType<typeof createOutlet>,
): Promise<void> {
  for (let step = first; !step.done; step = await sights.next()) {
    outlet.push(frameOf(step.value))
    const room = outlet.room()
    if (room) await room
  }
}

function frameOf(sight: Sight): string {
  if (sight.kind === 'ended') return 'event: ended\ndata: {}\n\n'
  const said = sight.kind === 'scene' ? sight.scene : sight.frame
  return `event: ${sight.kind}\ndata: ${JSON.stringify(said)}\n\n`
}
