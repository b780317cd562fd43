import { z } from 'zod'
import { SessionId, WorkspaceId } from '../model/ids.ts'
import { SearchHit } from '../model/search.ts'
import { Paging, paged } from './inputs.ts'
import { operation } from './operation.ts'

export const search = {
  'search.items': operation({
    summary:
      'Search what was said and done in all sessions of a workspace, or in one. All words must be there, "in quotes" one after the other; the last word may go on. The best come first, of equals the newest. What a run did within the last second or so may not be found yet, nor what is still being said, nor what a fork took along until it is first used: that is found in its origin.',
    http: ['GET', '/workspaces/:workspace/search'],
    input: z.object({
      workspace: WorkspaceId,
      text: z.string().min(1).max(500),
      session: SessionId.optional(),
      ...Paging,
      limit: z.coerce.number().int().min(1).max(100).default(20),
    }),
    output: paged('hits', SearchHit),
    errors: ['not_found'],
    forAgents: true,
  }),
} as const
