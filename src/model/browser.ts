import { z } from 'zod'
import { BrowserHolder } from './browser-sight.ts'
import { Millis, RunId, SessionId, WorkspaceId } from './ids.ts'

/** Environment variable that gives a run the address of its browser. */
export const BROWSER_VARIABLE = 'CARREL_BROWSER_URL'

/** A run that has a browser on this node or waits for one. */
export const BrowserUse = z.object({
  run: RunId,
  session: SessionId,
  agent: z.string(),
  state: z.enum(['waiting', 'starting', 'ready']),
  /** Start of the wait or of the use. */
  since: Millis,
  /** Runs ahead in the queue, across workspaces; null when the run is not waiting. */
  before: z.number().int().nullable(),
  /** Number of times the browser ended and was replaced during this run. */
  replaced: z.number().int(),
  /** Person who controls the browser; null while the agent does. */
  holder: BrowserHolder.nullable(),
})
export type BrowserUse = z.infer<typeof BrowserUse>

/** Owner of a browser, stored beside its profile so that a restarted server can identify it. */
export const BrowserNote = z.object({
  workspace: WorkspaceId,
  session: SessionId,
  run: RunId,
  agent: z.string(),
  port: z.number().int(),
  at: Millis,
})
export type BrowserNote = z.infer<typeof BrowserNote>
