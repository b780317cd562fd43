import type { AgentListener } from '../../host/agent/agent.ts'

/** Most updates kept between two runs; the oldest are dropped. */
const MAX_KEPT = 256

/**
 * Passes an agent's updates and questions to the run that is attached. Agents send updates between runs too (slash
 * commands, usage, late updates): the relay keeps them for the next run. A question without a run is cancelled.
 */
export interface Relay {
  readonly listener: AgentListener
  attach(listener: AgentListener): void
  detach(): void
  /** Drops updates and leaves questions unanswered from now on: the next server receives and answers them. */
  abandon(): void
}

const ABANDONED: AgentListener = {
  update: () => undefined,
  replayed: () => undefined,
  permission: () => new Promise(() => undefined),
  elicit: () => new Promise(() => undefined),
  read: () => undefined,
  mayWrite: () => new Promise(() => undefined),
  wrote: () => undefined,
  notice: () => undefined,
}

export function createRelay(): Relay {
  let current: AgentListener | null = null
  let kept: { update: unknown; frame: number }[] = []
  return {
    listener: {
      update(update, frame) {
        if (current) return current.update(update, frame)
        kept.push({ update, frame })
        if (kept.length > MAX_KEPT) kept.shift()
      },
      replayed: (update) => current?.replayed(update),
      permission: async (request, signal, frame) =>
        current ? current.permission(request, signal, frame) : { outcome: 'cancelled' },
      elicit: async (request, signal, frame) =>
        current ? current.elicit(request, signal, frame) : { action: 'cancel' },
      read: (path, digest) => current?.read(path, digest),
      mayWrite: async (path, digest) => (current ? await current.mayWrite(path, digest) : null),
      wrote: (path, bytes, digest) => current?.wrote(path, bytes, digest),
      notice: (text, data) => current?.notice(text, data),
    },
    attach(listener) {
      current = listener
      const missed = kept
      kept = []
      for (const { update, frame } of missed) listener.update(update, frame)
    },
    detach() {
      current = null
    },
    abandon() {
      current = ABANDONED
    },
  }
}
