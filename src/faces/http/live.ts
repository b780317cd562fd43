import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { operations } from '../../api/index.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Sight } from '../../model/browser-sight.ts'
import { readInput } from '../../model/input.ts'
import { createOutlet, OUTLET_LIMITS, type OutletLimits, pump } from './outlet.ts'
import { inputOf } from './request-input.ts'
import { headersOf, type StreamOptions } from './stream.ts'

/**
 * Mounts the live view of a run's browser. Events: `scene` for a changed state, `frame` with the newest picture, `ended`
 * at the end. Events have no ids, since missed pictures are useless; a slow reader gets fewer pictures.
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
      // The first step comes before the headers, so that a refusal has its own status.
      const first = await sights.next()
      reply.hijack()
      reply.raw.writeHead(200, headersOf(reply))
      const outlet = createOutlet(reply.raw, limits)
      await pump(first, sights, outlet, frameOf).catch((thrown) => abort.signal.aborted || onError(thrown, request))
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
  return engine.watchBrowser(callerOf(request), readInput(operations['runs.get'].input, inputOf(request)), signal)
}

function frameOf(sight: Sight): string {
  if (sight.kind === 'ended') return 'event: ended\ndata: {}\n\n'
  const data = sight.kind === 'scene' ? sight.scene : sight.frame
  return `event: ${sight.kind}\ndata: ${JSON.stringify(data)}\n\n`
}
