import type { Ring } from './store.ts'

/** A bell without a log: files of a workspace may have changed. Listeners query the history. */
export type FilesLog = `files:${string}`
export const filesOf = (workspace: string): FilesLog => `files:${workspace}`

/** A bell without a log: browsers of a workspace, or their controllers, may have changed. Listeners query the list. */
export type BrowsersLog = `browsers:${string}`
export const browsersOf = (workspace: string): BrowsersLog => `browsers:${workspace}`

/** Wakes listeners of a log, without data. Rings may be lost, doubled or late, so listeners also poll (L7). */
export interface Bell {
  ring(ring: Ring): void
  /** Calls `listener` for rings of one log, or of all logs with `null`. Returns a function that unsubscribes. */
  listen(log: string | null, listener: (ring: Ring) => void): () => void
  close(): Promise<void>
}

export function createBell(): Bell {
  const byLog = new Map<string, Set<(ring: Ring) => void>>()
  const all = new Set<(ring: Ring) => void>()
  return {
    ring(ring) {
      for (const listener of byLog.get(ring.log) ?? []) listener(ring)
      for (const listener of all) listener(ring)
    },
    listen(log, listener) {
      const listeners = log === null ? all : (byLog.get(log) ?? new Set())
      if (log !== null) byLog.set(log, listeners)
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
        if (log !== null && listeners.size === 0 && byLog.get(log) === listeners) byLog.delete(log)
      }
    },
    close: async () => {
      byLog.clear()
      all.clear()
    },
  }
}
