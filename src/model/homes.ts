import { z } from 'zod'

/**
 * Whose home folder one is that Carrel keeps; always of one agent, so that no agent finds another one's login. `session`: of
 * agents that cannot share any; `agent`: of all its runs in a Workspace; `space`: of those in a Space; `run`: of one.
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
