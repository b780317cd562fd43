import { z } from 'zod'

/**
 * Owner of a home folder that Carrel keeps. Every home belongs to one agent, so that no agent finds another's login.
 * `session`: for agents that cannot share a home. `agent`: for all its runs in a workspace. `space`: for its runs in a
 * Space. `run`: for one run.
 */
export const HomeNote = z.object({
  kind: z.enum(['session', 'agent', 'space', 'run']),
  agent: z.string(),
  workspace: z.string(),
  space: z.string().nullable(),
  project: z.string().nullable(),
  session: z.string().nullable(),
  run: z.string().nullable(),
})
export type HomeNote = z.infer<typeof HomeNote>
