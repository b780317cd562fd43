import type { Ring } from './store.ts'

/** Rings when files of a workspace may have changed. There is no such log: whoever hears it asks the history. */
export type FilesLog = `files:${string}`
export const filesOf = (workspace: string): FilesLog => `files:${workspace}`

/** Rings when browsers of runs in a workspace may be others, or somebody else's: whoever hears it asks for the list. */
export type BrowsersLog = `browsers:${string}`
export const browsersOf = (workspace: string): BrowsersLog => `browsers:${workspace}`

/**
 * Wakes those who wait for a log. It may lie: rings can be lost, doubled or late, and a listener that missed one
 * looks again after a while (L7). It never carries data, only that there may be some.
 */
export interface Bell {
  ring(ring: Ring): void
  /** Calls `listener` for rings of one log, or of all with `null`. Returns the way to stop. */
  listen(log: string | null, listener: (ring: Ring) => void): () => void
  close(): Promise<void>
}

/** The bell of one process. */
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
