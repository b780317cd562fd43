import { z } from 'zod'
import { BrowserHolder } from './browser-sight.ts'
import { Millis, RunId, SessionId, WorkspaceId } from './ids.ts'

/** The variable in which a run finds its browser. */
export const BROWSER_VARIABLE = 'CARREL_BROWSER_URL'

/** A run that has a browser of this node, or waits for one. */
export const BrowserUse = z.object({
  run: RunId,
  session: SessionId,
  agent: z.string(),
  state: z.enum(['waiting', 'starting', 'ready']),
  /** Since when it waits or has it. */
  since: Millis,
  /** How many wait before it, also of other workspaces; null where it waits for none. */
  before: z.number().int().nullable(),
  /** How often it ended and was replaced in this run. */
  replaced: z.number().int(),
  /** Who has taken it over; null while it is the agent's. */
  holder: BrowserHolder.nullable(),
})
export type BrowserUse = z.infer<typeof BrowserUse>

/** Whose a browser is, as it stands beside its profile for a server that comes later. */
export const BrowserNote = z.object({
  workspace: WorkspaceId,
  session: SessionId,
  run: RunId,
  agent: z.string(),
  port: z.number().int(),
  at: Millis,
})
export type BrowserNote = z.infer<typeof BrowserNote>
