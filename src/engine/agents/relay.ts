import type { AgentListener } from '../../host/agent/agent.ts'

/** What an agent may say between two runs that is kept for the next; beyond it the oldest goes. */
const KEPT = 256

/**
 * Stands between an agent's conversation and the run that listens to it. Agents speak also when no run is on (slash
 * commands, usage, late updates): that is kept and told to the next run. A question without a run is cancelled.
 */
export interface Relay {
  readonly listener: AgentListener
  attach(listener: AgentListener): void
  detach(): void
  /** Hears nothing and answers nothing any more: a later life of the server does. */
  abandon(): void
}

const DEAF: AgentListener = {
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
        if (kept.length > KEPT) kept.shift()
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
      const said = kept
      kept = []
      for (const { update, frame } of said) listener.update(update, frame)
    },
    detach() {
      current = null
    },
    abandon() {
      current = DEAF
    },
  }
}
